use std::{
    collections::VecDeque,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tidelock_core::event::Request;

use crate::store::{Reader, StoreError};

/// Times that are remembered; for older ones the log is asked.
const REMEMBERED: usize = 4_096;

/// When requests were taken in.
#[derive(Debug, Default)]
pub(super) struct TakenIn {
    /// Arrivals from the first through the second were at that time, in growing order.
    times: VecDeque<(u64, u64, SystemTime)>,
}

impl TakenIn {
    pub fn learn(&mut self, requests: &[Request], through: u64, at: SystemTime) {
        let first = requests.first().map(|request| request.arrival);
        self.times.extend(first.map(|first| (first, through, at)));
        if self.times.len() > REMEMBERED {
            self.times.pop_front();
        }
    }

    /// When that arrival was, by the log's time if this process did not see it; now, if nobody asked for the payment here.
    pub fn at(
        &self,
        reader: &mut Reader,
        arrival: u64,
        now: SystemTime,
    ) -> Result<SystemTime, StoreError> {
        if arrival == 0 {
            return Ok(now);
        }
        let place = self
            .times
            .partition_point(|(_, through, _)| *through < arrival);
        if let Some((first, _, time)) = self.times.get(place)
            && *first <= arrival
        {
            return Ok(*time);
        }
        let time = reader.accepted_at(arrival)?;
        let since = time.map(|time| Duration::from_secs(time.seconds()));
        Ok(since
            .and_then(|since| UNIX_EPOCH.checked_add(since))
            .unwrap_or(now))
    }
}
