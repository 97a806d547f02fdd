package tidelock.streams;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the job is told.
 *
 * @param brokers Kafka's brokers, as host:port, with commas
 * @param events the topic that `keeper publish` writes
 * @param hours the topic for hours
 * @param leftOut the topic for what no hour counts
 * @param group the consumer group, under which Kafka's tools show how far the job is
 * @param patience how long, by the chain's time, an event that is told late is waited for
 */
record Settings(String brokers, String events, String hours, String leftOut, String group, Duration patience) {
    static final String USAGE = """
            usage: --brokers HOST:PORT[,…] [--events TOPIC] [--hours TOPIC] [--left-out TOPIC] [--group NAME] [--patience SECONDS]""";

    static Settings parse(String... arguments) {
        Map<String, String> given = new TreeMap<>(Map.of(
                "--events", "tidelock.events",
                "--hours", "tidelock.hours",
                "--left-out", "tidelock.left-out",
                "--group", "tidelock-streams",
                "--patience", "600"));
        if (arguments.length % 2 != 0) {
            throw new IllegalArgumentException(arguments[arguments.length - 1] + ": has no value");
        }
        for (int index = 0; index < arguments.length; index += 2) {
            String name = arguments[index];
            if (!name.equals("--brokers") && !given.containsKey(name)) {
                throw new IllegalArgumentException(name + ": is not known");
            }
            given.put(name, arguments[index + 1]);
        }
        if (!given.containsKey("--brokers")) {
            throw new IllegalArgumentException("--brokers: must be given");
        }
        return new Settings(given.get("--brokers"), given.get("--events"), given.get("--hours"), given.get("--left-out"),
                given.get("--group"), patience(given.get("--patience")));
    }

    private static Duration patience(String text) {
        try {
            long seconds = Long.parseLong(text);
            if (seconds >= 0 && seconds <= Duration.ofDays(7).toSeconds()) {
                return Duration.ofSeconds(seconds);
            }
        } catch (NumberFormatException error) {
            // Told below.
        }
        throw new IllegalArgumentException("--patience: " + text + " must be whole seconds, at most those of 7 days");
    }
}
