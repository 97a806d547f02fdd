package tidelock.streams;

import java.time.Duration;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * The stream from messages to hours: read, put in the order of the log, counted, summed by the hour.
 *
 * @param hours each hour of each vault, once
 * @param leftOut what no hour counts
 */
public record Hours(DataStream<Hour> hours, DataStream<LeftOut> leftOut) {
    private static final OutputTag<LeftOut> UNREADABLE = new OutputTag<>("unreadable", TypeInformation.of(LeftOut.class));

    /** Of messages that have their times and watermarks. */
    public static Hours of(DataStream<Message> messages) {
        // Beside its source, so that what came in order stays in order.
        SingleOutputStreamOperator<Event> events =
                messages.process(new Readable()).setParallelism(messages.getParallelism()).name("readable");
        SingleOutputStreamOperator<InOrder.Placed> placed =
                events.keyBy(Event::vault).process(new InOrder()).name("in the log's order");
        DataStream<Hour> hours = placed.keyBy(each -> each.event().vault())
                .process(new Tally())
                .name("figures")
                .keyBy(Tally.Counted::vault)
                .window(TumblingEventTimeWindows.of(Duration.ofHours(1)))
                .aggregate(new Sum(), new WithHour())
                .name("hours");
        return new Hours(hours, events.getSideOutput(UNREADABLE).union(placed.getSideOutput(InOrder.LATE)));
    }

    private static final class Readable extends ProcessFunction<Message, Event> {
        @Override
        public void processElement(Message message, Context context, Collector<Event> out) {
            if (message.event() == null) {
                context.output(UNREADABLE, LeftOut.unreadable(message));
            } else {
                out.collect(message.event());
            }
        }
    }

    private static final class Sum implements AggregateFunction<Tally.Counted, Figures, Figures> {
        @Override
        public Figures createAccumulator() {
            return Figures.NONE;
        }

        @Override
        public Figures add(Tally.Counted counted, Figures sum) {
            return sum.plus(counted.figures());
        }

        @Override
        public Figures getResult(Figures sum) {
            return sum;
        }

        @Override
        public Figures merge(Figures one, Figures other) {
            return one.plus(other);
        }
    }

    private static final class WithHour extends ProcessWindowFunction<Figures, Hour, String, TimeWindow> {
        @Override
        public void process(String vault, Context context, Iterable<Figures> sums, Collector<Hour> out) {
            for (Figures sum : sums) {
                out.collect(new Hour(vault, context.window().getStart(), sum));
            }
        }
    }
}
