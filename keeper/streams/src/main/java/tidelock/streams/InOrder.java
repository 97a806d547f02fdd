package tidelock.streams;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * The entries of a vault's log in its order, each once and whole. An event waits until the watermark has passed its time; one that comes after
 * that is late and told aside. What is kept: the events that wait, and which numbers were there.
 */
final class InOrder extends KeyedProcessFunction<String, Event, InOrder.Placed> {
    /** Aside: late events. */
    static final OutputTag<LeftOut> LATE = new OutputTag<>("late", TypeInformation.of(LeftOut.class));

    /**
     * An entry in its place.
     *
     * @param missing how many entries of the log should have come between the one before and this one
     */
    public record Placed(Event event, long missing) {}

    private transient MapState<Long, List<Event>> waiting; // by time [milliseconds]
    private transient ValueState<Sequence> there;

    @Override
    public void open(OpenContext context) {
        TypeInformation<List<Event>> events = Types.LIST(TypeInformation.of(Event.class));
        waiting = getRuntimeContext().getMapState(new MapStateDescriptor<>("waiting", Types.LONG, events));
        there = getRuntimeContext().getState(new ValueStateDescriptor<>("there", TypeInformation.of(Sequence.class)));
    }

    @Override
    public void processElement(Event event, Context context, Collector<Placed> out) throws Exception {
        if (event.time() <= context.timerService().currentWatermark()) {
            late(event, context);
            return;
        }
        List<Event> together = waiting.get(event.time());
        List<Event> more = together == null ? new ArrayList<>() : new ArrayList<>(together);
        if (more.stream().noneMatch(other -> other.id().equals(event.id()))) {
            more.add(event);
            waiting.put(event.time(), more);
            context.timerService().registerEventTimeTimer(event.time());
        }
    }

    @Override
    public void onTimer(long time, OnTimerContext context, Collector<Placed> out) throws Exception {
        SortedMap<Long, Event> entries = new TreeMap<>();
        for (Event event : waiting.get(time)) {
            entries.merge(event.sequence(), event, Event::with);
        }
        waiting.remove(time);
        Sequence sequence = sequence();
        for (Event event : entries.values()) {
            // A log's time never runs back: this one counts from 1 again.
            if (event.sequence() <= sequence.last()) {
                context.output(LATE, LeftOut.otherLog(event));
                continue;
            }
            out.collect(new Placed(event, event.sequence() - sequence.last() - 1));
            sequence = sequence.with(event.sequence());
        }
        there.update(sequence);
    }

    /** Of an entry that came in parts nobody knows how many there are: one more of it is told aside, though it may be one that was there. */
    private void late(Event event, Context context) throws Exception {
        Sequence sequence = sequence();
        boolean isMissing = sequence.isMissing(event.sequence());
        if (isMissing || event.isPart()) {
            context.output(LATE, LeftOut.late(event));
        }
        if (isMissing && !event.isPart()) {
            there.update(sequence.filled(event.sequence()));
        }
    }

    private Sequence sequence() throws IOException {
        Sequence sequence = there.value();
        return sequence == null ? Sequence.NONE : sequence;
    }
}
