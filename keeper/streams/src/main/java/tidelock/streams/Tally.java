package tidelock.streams;

import static tidelock.streams.Event.Class.ABNORMAL;
import static tidelock.streams.Event.Class.OPERATOR;
import static tidelock.streams.Event.Class.POLICY;

import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * What each event of a vault's log adds to the figures, as docs/metrics.md defines them. What is kept: when each withdrawal that is
 * not settled was taken in, and when those were whose payment waits for the next final block.
 */
final class Tally extends KeyedProcessFunction<String, InOrder.Placed, Tally.Counted> {
    /** What an event of a vault adds. */
    public record Counted(String vault, Figures figures) {}

    private transient MapState<String, Long> since; // by ref [milliseconds]
    private transient ListState<Long> paid; // [milliseconds]

    @Override
    public void open(OpenContext context) {
        since = getRuntimeContext().getMapState(new MapStateDescriptor<>("since", Types.STRING, Types.LONG));
        paid = getRuntimeContext().getListState(new ListStateDescriptor<>("paid", Types.LONG));
    }

    @Override
    public void processElement(InOrder.Placed placed, Context context, Collector<Counted> out) throws Exception {
        Figures figures = Figures.event(placed.missing()).plus(of(placed.event()));
        out.collect(new Counted(placed.event().vault(), figures));
    }

    private Figures of(Event event) throws Exception {
        List<String> refs = event.refs();
        long count = refs.size();
        return switch (event.type()) {
            case Event.ACCEPTED -> {
                for (String ref : refs) {
                    since.put(ref, event.time());
                }
                yield Figures.accepted(count);
            }
            case Event.HELD -> Figures.stopped(event.hold().by, count);
            case Event.REJECTED -> {
                forget(refs);
                yield Figures.settled(0, count, 0, 0).plus(Figures.stopped(POLICY, count));
            }
            case Event.CANCELLED -> {
                forget(refs);
                yield Figures.settled(0, 0, count, 0).plus(Figures.stopped(OPERATOR, count));
            }
            case Event.DISPLACED -> {
                forget(refs);
                // Each number that was used for something else was paid, whoever asked for it.
                yield Figures.settled(event.others(), 0, 0, count)
                        .plus(Figures.stopped(ABNORMAL, count))
                        .plus(Figures.trail(0, Math.max(count, event.others())));
            }
            case Event.RECOVERED -> Figures.settled(count, 0, 0, 0);
            case Event.PAID -> pay(refs);
            case Event.FOREIGN -> Figures.trail(0, 1);
            case Event.ADVANCED -> arrive(event.time());
            default -> Figures.NONE;
        };
    }

    /** A payment that nobody asked for here was taken over from somebody's proposal: no trail leads to it. */
    private Figures pay(List<String> refs) throws Exception {
        long broken = 0;
        for (String ref : refs) {
            Long accepted = since.get(ref);
            if (accepted == null) {
                broken++;
            } else {
                paid.add(accepted);
                since.remove(ref);
            }
        }
        return Figures.settled(refs.size(), 0, 0, 0).plus(Figures.trail(refs.size() - broken, broken));
    }

    /** What was paid has arrived once the block after which it is final is taken in. */
    private Figures arrive(long now) throws Exception {
        long count = 0;
        long seconds = 0;
        for (long accepted : paid.get()) {
            count++;
            seconds = Math.addExact(seconds, Math.subtractExact(now, accepted) / 1_000);
        }
        paid.clear();
        return Figures.arrived(count, seconds);
    }

    private void forget(List<String> refs) throws Exception {
        for (String ref : refs) {
            since.remove(ref);
        }
    }
}
