package tidelock.streams;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;

/**
 * The figures of a vault in an hour of its chain's time.
 *
 * @param vault the source of its events
 * @param begin [milliseconds since 1970]
 * @param figures the counts
 */
public record Hour(String vault, long begin, Figures figures) {
    /** Decimals of shares and of seconds. Rounded down: what is not whole never reads as 1. */
    private static final int DECIMALS = 6;

    /** Keeps all decimals, so that a number is written plainly. */
    private static final JsonNodeFactory JSON = new JsonNodeFactory(true);

    /** Settled payments that were paid, of all; null if none was settled. */
    public BigDecimal successRate() {
        return share(figures.paid(), figures.paid() + figures.rejected() + figures.cancelled() + figures.displaced());
    }

    /** From request to finality [seconds]; null if nothing arrived. */
    public BigDecimal meanSecondsToArrival() {
        return share(figures.seconds(), figures.arrived());
    }

    /** Payments stopped by what no rule and no person wanted, of requests taken in; null if none was. */
    public BigDecimal abnormalRejectionRate() {
        return share(figures.abnormal(), figures.accepted());
    }

    /** What the vault paid that the log explains, of all it paid; null if it paid nothing. */
    public BigDecimal auditComplianceRate() {
        return share(figures.whole(), figures.whole() + figures.broken());
    }

    /** By what a later telling of the same hour replaces this one. */
    public String key() {
        return vault + "|" + Instant.ofEpochMilli(begin);
    }

    /** One line: the four figures, then what they are made of. */
    public String json() {
        ObjectNode line = JSON.objectNode();
        line.put("vault", vault).put("hour", Instant.ofEpochMilli(begin).toString());
        line.put("success_rate", successRate());
        line.put("mean_seconds_to_arrival", meanSecondsToArrival());
        line.put("abnormal_rejection_rate", abnormalRejectionRate());
        line.put("audit_compliance_rate", auditComplianceRate());
        line.put("accepted", figures.accepted());
        line.putObject("settled").put("paid", figures.paid()).put("rejected", figures.rejected())
                .put("cancelled", figures.cancelled()).put("displaced", figures.displaced());
        line.putObject("stopped").put("policy", figures.policy()).put("operator", figures.operator())
                .put("abnormal", figures.abnormal());
        line.putObject("paid_by_vault").put("whole", figures.whole()).put("broken", figures.broken());
        line.putObject("arrivals").put("count", figures.arrived()).put("seconds", figures.seconds());
        line.put("events", figures.events()).put("missing", figures.missing());
        return line.toString();
    }

    private static BigDecimal share(long part, long all) {
        return all == 0 ? null : BigDecimal.valueOf(part).divide(BigDecimal.valueOf(all), DECIMALS, RoundingMode.DOWN);
    }
}
