package tidelock.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The whole stream on a mini cluster, with a recorded log in which everything happens that the figures count. */
class HoursTest {
    /** By hand, from the definitions of docs/metrics.md and the story that the log tells. */
    @Test
    void theFourFiguresOfEachHourAreWhatTheirDefinitionsSay() throws Exception {
        Run run = Run.of(Recorded.events());
        List<String> lines = new ArrayList<>();
        for (Hour hour : run.hours()) {
            lines.add(hour.key().split("\\|")[1] + " success " + hour.successRate() + ", arrival " + hour.meanSecondsToArrival()
                    + " s, abnormal " + hour.abnormalRejectionRate() + ", audit " + hour.auditComplianceRate());
        }
        assertEquals(
                List.of(
                        // 2 paid before the log, 1 refused for good; nothing was paid since.
                        "2026-01-05T09:00:00Z success 0.666666, arrival null s, abnormal 0.000000, audit null",
                        // 4 paid and 1 withdrawn; 3 of them final here, after 9 min 12 s; 1 of 5 requests cannot be simulated.
                        "2026-01-05T10:00:00Z success 0.800000, arrival 552.000000 s, abnormal 0.200000, audit 1.000000",
                        // 6 paid, 2 displaced; 68 min and 88 min 48 s; no request; of what the vault paid 1 has a trail, and 6 have none.
                        "2026-01-05T11:00:00Z success 0.750000, arrival 4704.000000 s, abnormal null, audit 0.142857",
                        "2026-01-05T12:00:00Z success null, arrival null s, abnormal null, audit null",
                        // 2 requests, and 4 stops that nobody wanted.
                        "2026-01-05T14:00:00Z success null, arrival null s, abnormal 2.000000, audit null",
                        // 24 h, 10 min and 12 s after its request.
                        "2026-01-06T14:00:00Z success 1.000000, arrival 87012.000000 s, abnormal null, audit 1.000000"),
                lines);
    }

    @Test
    void eachCountIsTheKeepersOwn() throws Exception {
        Run run = Run.of(Recorded.events());
        assertEquals(Recorded.counts(), run.counts());
        assertEquals(0, run.missing());
        assertEquals(List.of(), run.leftOut());
    }

    @Test
    void orderAndRepeatsChangeNothing() throws Exception {
        shuffled(Recorded.events());
    }

    @Test
    void partsOfEntriesCountAsTheEntries() throws Exception {
        shuffled(Recorded.parts());
    }

    private static void shuffled(List<String> events) throws Exception {
        Random random = new Random(7);
        Map<String, Long> turns = new HashMap<>();
        List<String> lines = new ArrayList<>();
        for (int copy = 0; copy < 3; copy++) {
            for (String line : events) {
                String again = line + " ".repeat(copy);
                turns.put(again, Event.parse(line).time() + random.nextLong(Run.PATIENCE.toMillis()));
                lines.add(again);
            }
        }
        lines.sort(Comparator.comparing(turns::get));
        List<String> sorted = new ArrayList<>(lines);
        Collections.sort(sorted);
        assertTrue(!sorted.equals(lines), "they are out of order");
        Run run = Run.of(lines);
        assertEquals(Recorded.counts(), run.counts());
        assertEquals(0, run.missing());
        assertEquals(List.of(), run.leftOut());
    }

    @Test
    void oneThatComesTooLateIsToldAsideOnceAndItsHourSaysThatItIsMissing() throws Exception {
        List<String> lines = new ArrayList<>(Recorded.events());
        String late = lines.remove(16); // a hold at 10:01
        int after = indexOf(lines, 26); // 11:30
        lines.add(after + 1, late);
        lines.add(after + 2, late);
        lines.add(lines.get(0)); // what was there is dropped, however late it comes again
        Run run = Run.of(lines);
        Event event = Event.parse(late);
        assertEquals(List.of(new LeftOut("late", event.vault() + " 17 " + Event.HELD)), run.leftOut());
        Map<String, Map<String, Long>> expected = Recorded.counts();
        Map<String, Long> hour = expected.get("2026-01-05T10:00:00Z");
        hour.merge("events", -1L, Long::sum);
        hour.merge("abnormal", -1L, Long::sum);
        assertEquals(expected, run.counts());
        assertEquals(1, run.hours().get(1).figures().missing());
        assertEquals(1, run.missing());
    }

    @Test
    void aPartThatComesTooLateIsToldAside() throws Exception {
        List<String> lines = new ArrayList<>(Recorded.parts());
        String paid = lines.stream().filter(line -> line.contains(Event.PAID)).findFirst().orElseThrow();
        lines.remove(paid);
        lines.add(paid);
        Run run = Run.of(lines);
        Event event = Event.parse(paid);
        assertEquals(List.of(new LeftOut("late", event.vault() + " 11-" + event.refs().get(0) + " " + Event.PAID)), run.leftOut());
        assertEquals(3, run.counts().get("2026-01-05T10:00:00Z").get("paid"));
    }

    @Test
    void whatNeverComesIsMissing() throws Exception {
        List<String> lines = new ArrayList<>(Recorded.events().subList(3, 43));
        lines.remove(indexOf(lines, 32));
        lines.remove(indexOf(lines, 33));
        Run run = Run.of(lines);
        assertEquals(List.of(3L, 0L, 0L, 0L, 2L, 0L), run.hours().stream().map(hour -> hour.figures().missing()).toList());
        assertEquals(List.of(), run.leftOut());
    }

    @Test
    void whatIsNoEventIsToldAsideAndChangesNothing() throws Exception {
        List<String> lines = new ArrayList<>(Recorded.events());
        lines.add(9, "{\"specversion\":\"1.0\"");
        lines.add(20, lines.get(20).replace("\"1.0\"", "\"2.0\""));
        Run run = Run.of(lines);
        assertEquals(Recorded.counts(), run.counts());
        assertEquals(2, run.leftOut().size());
        assertTrue(run.leftOut().stream().allMatch(left -> left.why().startsWith("unreadable: ")), run.leftOut().toString());
        assertTrue(run.leftOut().contains(new LeftOut("unreadable: specversion: 2.0 must be 1.0", lines.get(20))));
    }

    @Test
    void eachVaultHasItsOwn() throws Exception {
        List<String> lines = new ArrayList<>();
        for (String line : Recorded.events()) {
            lines.add(line);
            lines.add(line.replace("chain:31337", "chain:1"));
        }
        Run run = Run.of(lines);
        assertEquals(12, run.hours().size());
        assertEquals(Recorded.counts(), new Run(run.hours().subList(0, 6), List.of()).counts());
        assertEquals(Recorded.counts(), new Run(run.hours().subList(6, 12), List.of()).counts());
    }

    @Test
    void anotherLogOfTheSameVaultIsNotMixedIn() throws Exception {
        List<String> lines = new ArrayList<>(Recorded.events());
        String first = lines.get(0).replace("2026-01-05T09:50", "2026-01-07T09:50");
        lines.add(first);
        Run run = Run.of(lines);
        assertEquals(Recorded.counts(), run.counts());
        String vault = Event.parse(first).vault();
        assertEquals(List.of(new LeftOut("of another log", vault + " 1 tidelock.log.opened")), run.leftOut());
    }

    private static int indexOf(List<String> lines, long sequence) throws Unreadable {
        for (int index = 0; index < lines.size(); index++) {
            if (Event.parse(lines.get(index)).sequence() == sequence) {
                return index;
            }
        }
        throw new IllegalArgumentException("no event " + sequence);
    }
}
