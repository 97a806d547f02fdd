package tidelock.streams;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.CloseableIterator;

/** The stream on a mini cluster of Flink, with two tasks of each part behind the source. */
record Run(List<Hour> hours, List<LeftOut> leftOut) {
    /** By the chain's time. */
    static final Duration PATIENCE = Duration.ofMinutes(10);

    static Run of(List<String> lines) throws Exception {
        Configuration configuration = new Configuration().set(PipelineOptions.GENERIC_TYPES, false);
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(2, configuration);
        DataStream<Message> messages = environment.fromData(lines)
                .map(Message::read)
                .returns(TypeInformation.of(Message.class))
                .setParallelism(1)
                .assignTimestampsAndWatermarks(ChainTime.waiting(PATIENCE))
                .setParallelism(1);
        Hours out = Hours.of(messages);
        try (CloseableIterator<Hour> hours = out.hours().collectAsync();
                CloseableIterator<LeftOut> leftOut = out.leftOut().collectAsync()) {
            environment.execute();
            List<Hour> sorted = list(hours);
            sorted.sort(Comparator.comparing(Hour::vault).thenComparing(Hour::begin));
            return new Run(sorted, list(leftOut));
        }
    }

    private static <T> List<T> list(CloseableIterator<T> iterator) {
        List<T> all = new ArrayList<>();
        iterator.forEachRemaining(all::add);
        return all;
    }

    /** By hour and name, as the keeper counts. */
    Map<String, Map<String, Long>> counts() {
        Map<String, Map<String, Long>> counts = new TreeMap<>();
        for (Hour hour : hours) {
            Figures of = hour.figures();
            Map<String, Long> figures = new TreeMap<>(Map.of(
                    "events", of.events(), "accepted", of.accepted(), "paid", of.paid(), "rejected", of.rejected(),
                    "cancelled", of.cancelled(), "displaced", of.displaced(), "policy", of.policy(), "operator", of.operator(),
                    "abnormal", of.abnormal(), "whole", of.whole()));
            figures.putAll(Map.of("broken", of.broken(), "arrived", of.arrived(), "seconds", of.seconds()));
            counts.put(Instant.ofEpochMilli(hour.begin()).toString(), figures);
        }
        return counts;
    }

    long missing() {
        return hours.stream().mapToLong(hour -> hour.figures().missing()).sum();
    }
}
