use std::time::SystemTime;

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SpanData, SpanEvents, SpanLinks};
use tidelock_core::domain::PaymentRef;

/// The name of the span that all others of a payment are within.
pub(super) const PAYMENT: &str = "payment";

/// Something that a payment went through.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    /// Whose trace it is in.
    pub reference: PaymentRef,
    pub name: &'static str,
    pub from: SystemTime,
    pub to: SystemTime,
    pub facts: Vec<KeyValue>,
    /// What went wrong, if something did.
    pub failure: Option<&'static str>,
}

impl Span {
    /// As the exporter takes it. A payment's ref is the id of its trace, so that whoever has one finds the other, and so that a keeper
    /// that is started anew goes on in the same trace.
    pub fn into_data(self) -> SpanData {
        let PaymentRef(reference) = self.reference;
        let trace = TraceId::from_bytes(reference);
        let whole = whole(reference);
        let (id, parent) = if self.name == PAYMENT {
            (whole, SpanId::INVALID)
        } else {
            (RandomIdGenerator::default().new_span_id(), whole)
        };
        let mut attributes = self.facts;
        attributes.push(KeyValue::new("tidelock.ref", self.reference.to_string()));
        SpanData {
            span_context: SpanContext::new(
                trace,
                id,
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            parent_span_id: parent,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: self.name.into(),
            start_time: self.from.min(self.to),
            end_time: self.to,
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: self.failure.map_or(Status::Unset, Status::error),
            instrumentation_scope: InstrumentationScope::builder("tidelock-keeper").build(),
        }
    }
}

/// The id of the span of a whole payment: it must be known before that span is over. Zero is no id.
fn whole(reference: [u8; 16]) -> SpanId {
    let [.., a, b, c, d, e, f, g, h] = reference;
    match [a, b, c, d, e, f, g, h] {
        [0, 0, 0, 0, 0, 0, 0, 0] => SpanId::from_bytes([0, 0, 0, 0, 0, 0, 0, 1]),
        low => SpanId::from_bytes(low),
    }
}
