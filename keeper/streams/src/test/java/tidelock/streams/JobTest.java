package tidelock.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Test;

class JobTest {
    @Test
    void settingsAreReadAndMistakesAreNamed() {
        Settings settings = Settings.parse("--brokers", "one:9092,two:9092", "--patience", "60");
        assertEquals(
                new Settings("one:9092,two:9092", "tidelock.events", "tidelock.hours", "tidelock.left-out", "tidelock-streams",
                        Duration.ofSeconds(60)),
                settings);
        refused("--brokers: must be given");
        refused("--topic: is not known", "--topic", "x");
        refused("--brokers: has no value", "--brokers");
        refused("--patience: 1.5 must be whole seconds", "--brokers", "x", "--patience", "1.5");
    }

    private static void refused(String words, String... arguments) {
        Exception error = assertThrows(IllegalArgumentException.class, () -> Settings.parse(arguments));
        assertTrue(error.getMessage().startsWith(words), error.getMessage());
    }

    /** From source to sinks, and all that is kept and sent in forms that Flink knows by their fields. */
    @Test
    void theWholeJobCanBePutTogether() {
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(2);
        Job.assemble(environment, Settings.parse("--brokers", "127.0.0.1:1"), Duration.ofMinutes(1));
        String plan = environment.getExecutionPlan();
        for (String part : new String[] {"events", "readable", "in the log's order", "figures", "hours", "left out"}) {
            assertTrue(plan.contains(part), plan);
        }
    }

    @Test
    void anHourIsOneLine() {
        Hour hour = new Hour("urn:x", 1_767_607_200_000L, Figures.settled(2, 1, 0, 0).plus(Figures.arrived(3, 10)));
        assertEquals("""
                {"vault":"urn:x","hour":"2026-01-05T10:00:00Z","success_rate":0.666666,"mean_seconds_to_arrival":3.333333,\
                "abnormal_rejection_rate":null,"audit_compliance_rate":null,"accepted":0,\
                "settled":{"paid":2,"rejected":1,"cancelled":0,"displaced":0},"stopped":{"policy":0,"operator":0,"abnormal":0},\
                "paid_by_vault":{"whole":0,"broken":0},"arrivals":{"count":3,"seconds":10},"events":0,"missing":0}""", hour.json());
    }
}
