package tidelock.streams;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

    /** The same as topics have them: one for each withdrawal, with an id that ends with it. */
    static List<String> parts() throws IOException {
        List<String> parts = new ArrayList<>();
        for (String line : events()) {
            ObjectNode event = (ObjectNode) new ObjectMapper().readTree(line);
            JsonNode refs = event.get("data").get("refs");
            if (refs.isEmpty()) {
                parts.add(event.put("partitionkey", event.get("source").textValue()).toString());
            }
            for (JsonNode ref : refs) {
                ObjectNode part = event.deepCopy();
                part.put("id", event.get("id").textValue() + "-" + ref.textValue()).put("partitionkey", ref.textValue());
                part.withObject("data").putArray("refs").add(ref);
                parts.add(part.toString());
            }
        }
        return parts;
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
