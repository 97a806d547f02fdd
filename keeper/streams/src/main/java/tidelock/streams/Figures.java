package tidelock.streams;

import tidelock.streams.Event.Class;

/**
 * Counts of a span of time, which add up; docs/metrics.md says what each is.
 *
 * @param events entries of the log
 * @param missing entries that should have come and did not
 * @param accepted requests taken in
 * @param paid settled: paid, by the word of a final block
 * @param rejected settled: refused for good
 * @param cancelled settled: withdrawn by an operator
 * @param displaced settled: something else was paid under their numbers
 * @param policy stopped by the vault's rules, its guardians or the token's list
 * @param operator stopped by an operator
 * @param abnormal stopped by what no rule and no person wanted
 * @param whole paid by the vault for requests of this log
 * @param broken everything else that the vault paid
 * @param arrived payments that became final
 * @param seconds how long these took together, from request to finality. [seconds]
 */
public record Figures(
        long events,
        long missing,
        long accepted,
        long paid,
        long rejected,
        long cancelled,
        long displaced,
        long policy,
        long operator,
        long abnormal,
        long whole,
        long broken,
        long arrived,
        long seconds) {

    static final Figures NONE = new Figures(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    Figures plus(Figures more) {
        return new Figures(
                Math.addExact(events, more.events),
                Math.addExact(missing, more.missing),
                Math.addExact(accepted, more.accepted),
                Math.addExact(paid, more.paid),
                Math.addExact(rejected, more.rejected),
                Math.addExact(cancelled, more.cancelled),
                Math.addExact(displaced, more.displaced),
                Math.addExact(policy, more.policy),
                Math.addExact(operator, more.operator),
                Math.addExact(abnormal, more.abnormal),
                Math.addExact(whole, more.whole),
                Math.addExact(broken, more.broken),
                Math.addExact(arrived, more.arrived),
                Math.addExact(seconds, more.seconds));
    }

    static Figures event(long missing) {
        return new Figures(1, missing, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    static Figures accepted(long count) {
        return new Figures(0, 0, count, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    static Figures settled(long paid, long rejected, long cancelled, long displaced) {
        return new Figures(0, 0, 0, paid, rejected, cancelled, displaced, 0, 0, 0, 0, 0, 0, 0);
    }

    static Figures stopped(Class by, long count) {
        return switch (by) {
            case POLICY -> new Figures(0, 0, 0, 0, 0, 0, 0, count, 0, 0, 0, 0, 0, 0);
            case OPERATOR -> new Figures(0, 0, 0, 0, 0, 0, 0, 0, count, 0, 0, 0, 0, 0);
            case ABNORMAL -> new Figures(0, 0, 0, 0, 0, 0, 0, 0, 0, count, 0, 0, 0, 0);
        };
    }

    static Figures trail(long whole, long broken) {
        return new Figures(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, whole, broken, 0, 0);
    }

    static Figures arrived(long count, long seconds) {
        return new Figures(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, count, seconds);
    }
}
