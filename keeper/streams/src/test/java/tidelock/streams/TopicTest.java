package tidelock.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Test;

/** The job as a cluster runs it, from topic to topic of a real Kafka: what goes in is what `keeper publish` writes of the recorded log. */
class TopicTest {
    private static final int PARTITIONS = 3;

    /** The last hour of the recorded log is not over, and told by nobody. */
    private static final int HOURS = 5;

    /** Partitions end at different times of the chain; the first hours are told once those that have ended count no more. */
    private static final Duration IDLE = Duration.ofSeconds(20);

    @Test
    void hoursOfATopicAreTheKeepersOwn() throws Exception {
        assumeTrue(Broker.isThere(), "scripts/kafka has installed no broker");
        try (Broker broker = Broker.start()) {
            broker.make(PARTITIONS, "events", "hours", "left-out");
            List<Map.Entry<String, String>> records = records();
            // What was rolled back has not happened, and what is no event is told aside.
            broker.write("events", records.subList(0, 20), false);
            broker.write("events", records, true);
            broker.write("events", List.of(Map.entry("x", "no event")), true);
            StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(2);
            environment.enableCheckpointing(1_000);
            Settings settings = Settings.parse(
                    "--brokers", broker.server(), "--events", "events", "--hours", "hours", "--left-out", "left-out");
            Job.assemble(environment, settings, IDLE);
            JobClient job = environment.executeAsync();
            Map<String, String> hours = broker.read("hours", PARTITIONS, HOURS);
            Map<String, String> leftOut = broker.read("left-out", PARTITIONS, 1);
            job.cancel().get();
            Map<String, Map<String, Long>> counts = new TreeMap<>();
            for (String hour : hours.values()) {
                JsonNode told = new ObjectMapper().readTree(hour);
                assertEquals(0, told.get("missing").intValue(), hour);
                counts.put(told.get("hour").textValue(), counts(told));
            }
            Map<String, Map<String, Long>> wanted = new TreeMap<>(Recorded.counts());
            wanted.keySet().retainAll(wanted.keySet().stream().limit(HOURS).toList());
            assertEquals(wanted, counts);
            assertEquals(1, leftOut.size(), leftOut.toString());
        }
    }

    /** With their keys. */
    private static List<Map.Entry<String, String>> records() throws Exception {
        List<Map.Entry<String, String>> records = new ArrayList<>();
        for (String part : Recorded.parts()) {
            records.add(Map.entry(new ObjectMapper().readTree(part).get("partitionkey").textValue(), part));
        }
        return records;
    }

    /** The counts of an hour, by the names that the keeper has for them. */
    private static Map<String, Long> counts(JsonNode hour) {
        Map<String, Long> counts = new TreeMap<>();
        counts.put("events", hour.get("events").longValue());
        counts.put("accepted", hour.get("accepted").longValue());
        for (String group : List.of("settled", "stopped", "paid_by_vault", "arrivals")) {
            hour.get(group).properties().forEach(count -> {
                String name = count.getKey().equals("count") ? "arrived" : count.getKey();
                counts.put(name, count.getValue().longValue());
            });
        }
        return counts;
    }
}
