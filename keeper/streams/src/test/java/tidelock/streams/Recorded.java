package tidelock.streams;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Events of a log as the API tells them, and what the keeper's own figures say of the same log. */
final class Recorded {
    private static final Path FOLDER = Path.of("..", "..", "test-fixtures", "events");

    private Recorded() {}

    static List<String> events() throws IOException {
        return Files.readAllLines(FOLDER.resolve("events.jsonl"));
    }

    /** The same as `keeper publish` writes them to a topic: one for each withdrawal, with an id that ends with it. */
    static List<String> parts() throws IOException {
        return Files.readAllLines(FOLDER.resolve("parts.jsonl"));
    }

    /** What the keeper counted, by hour and name. */
    static Map<String, Map<String, Long>> counts() throws IOException {
        Map<String, Map<String, Long>> hours = new TreeMap<>();
        for (String line : Files.readAllLines(FOLDER.resolve("hours.jsonl"))) {
            JsonNode hour = new ObjectMapper().readTree(line);
            Map<String, Long> counts = new TreeMap<>();
            hour.get("counts").properties().forEach(count -> counts.put(count.getKey(), count.getValue().longValue()));
            hours.put(hour.get("hour").textValue(), counts);
        }
        return hours;
    }
}
