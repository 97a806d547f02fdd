package tidelock.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EventTest {
    private static final String HELD = """
            {"specversion":"1.0","id":"42","source":"urn:x","type":"tidelock.withdrawal.held","time":"2026-01-05T10:01:12Z",\
            "datacontenttype":"application/json","sequence":"00000000000000000042",\
            "data":{"refs":["0x01"],"hold":{"reason":"keeps_failing","detail":null}}}""";

    @Test
    void anEventIsRead() throws Exception {
        Event event = new Event("42", "urn:x", 42, Event.HELD, 1_767_607_272_000L, List.of("0x01"), Event.Hold.KEEPS_FAILING, 0);
        assertEquals(event, Event.parse(HELD));
        Event part = Event.parse(HELD.replace("\"42\"", "\"42-0x01\""));
        assertTrue(part.isPart() && !event.isPart());
        Event other = Event.parse(HELD.replace("\"42\"", "\"42-0x02\"").replace("\"0x01\"", "\"0x02\""));
        assertEquals(new Event("42", "urn:x", 42, Event.HELD, event.time(), List.of("0x01", "0x02"), event.hold(), 0), part.with(other));
    }

    /** Each part of a displaced entry says how many payments were made instead of all of it. */
    @Test
    void whatPartsSayOfTheirEntryIsNotAddedUp() {
        Event one = new Event("7-0x01", "urn:x", 7, Event.DISPLACED, 0, List.of("0x01"), null, 3);
        Event two = new Event("7-0x02", "urn:x", 7, Event.DISPLACED, 0, List.of("0x02"), null, 3);
        assertEquals(new Event("7", "urn:x", 7, Event.DISPLACED, 0, List.of("0x01", "0x02"), null, 3), one.with(two));
    }

    @Test
    void whatBreaksARuleIsNamed() {
        for (Map.Entry<String, List<String>> change : Map.of(
                        "specversion: ", List.of("\"1.0\"", "\"0.3\""),
                        "id: ", List.of("\"42\"", "\"43\""),
                        "source: ", List.of("\"urn:x\"", "7"),
                        "sequence: ", List.of("\"00000000000000000042\"", "\"99999999999999999999\""),
                        "time: ", List.of("2026-01-05T", "2026-13-05T"),
                        "data.refs: ", List.of("[\"0x01\"]", "[1]"),
                        "data.hold.reason: ", List.of("keeps_failing", "bad_mood"),
                        "data.others: ", List.of("\"refs\"", "\"others\":1.5,\"refs\""),
                        "message: ", List.of("}}}", "}}}{}"),
                        "message: Duplicate", List.of("\"id\":\"42\"", "\"id\":\"42\",\"id\":\"42\""))
                .entrySet()) {
            String changed = HELD.replace(change.getValue().get(0), change.getValue().get(1));
            Unreadable error = assertThrows(Unreadable.class, () -> Event.parse(changed), changed);
            assertTrue(error.getMessage().startsWith(change.getKey()), error.getMessage());
        }
    }

    @Test
    void gapsAreKnownAndTheirNumberIsBounded() {
        Sequence sequence = Sequence.NONE.with(3).with(4).with(9);
        assertTrue(sequence.isMissing(2) && !sequence.isMissing(4) && sequence.isMissing(6) && sequence.isMissing(10));
        Sequence filled = sequence.filled(6).filled(8);
        assertEquals(List.of(new Sequence.Gap(1, 2), new Sequence.Gap(5, 5), new Sequence.Gap(7, 7)), filled.gaps());
        Sequence many = Sequence.NONE;
        for (long number = 2; number <= 2 * (Sequence.GAPS + 5); number += 2) {
            many = many.with(number);
        }
        assertEquals(Sequence.GAPS, many.gaps().size());
        assertEquals(new Sequence.Gap(1, 11), many.gaps().get(0));
    }
}
