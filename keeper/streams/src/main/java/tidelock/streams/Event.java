package tidelock.streams;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * One entry of a vault's log, told as CloudEvents 1.0 in JSON, as far as the figures need it. Topics have one that is about several
 * withdrawals in parts, one for each.
 *
 * @param id the same each time that it is told: the sequence; of a part, also the withdrawal
 * @param vault the event's source
 * @param sequence the entry's place in the log; counts from 1 without gaps
 * @param type what happened
 * @param time the chain's time when it was written: that of the last final block. [milliseconds since 1970]
 * @param refs the withdrawals it is about
 * @param hold why they are held; null of another type
 * @param others payments that the vault made instead of displaced ones, for refs that nobody had asked for
 */
public record Event(
        String id, String vault, long sequence, String type, long time, List<String> refs, Hold hold, long others) {
    public static final String ACCEPTED = "tidelock.withdrawal.accepted";
    public static final String HELD = "tidelock.withdrawal.held";
    public static final String REJECTED = "tidelock.withdrawal.rejected";
    public static final String CANCELLED = "tidelock.withdrawal.cancelled";
    public static final String DISPLACED = "tidelock.withdrawal.displaced";
    public static final String RECOVERED = "tidelock.withdrawal.recovered";
    public static final String PAID = "tidelock.withdrawal.paid";
    public static final String FOREIGN = "tidelock.vault.foreign";
    public static final String ADVANCED = "tidelock.chain.advanced";

    /** Whose doing it is that a payment is stopped. */
    public enum Class {
        /** The vault's rules, its guardians or the token's list. */
        POLICY,
        /** An operator. */
        OPERATOR,
        /** Anything else: it should not happen. */
        ABNORMAL
    }

    /** Why a withdrawal is held, in the API's words. */
    public enum Hold {
        RECIPIENT_BLOCKED(Class.POLICY),
        ABOVE_LIMIT(Class.POLICY),
        TOKEN_BLACKLIST(Class.POLICY),
        VETOED(Class.POLICY),
        OPERATOR(Class.OPERATOR),
        TOKEN_REFUSES(Class.ABNORMAL),
        CANNOT_SIMULATE(Class.ABNORMAL),
        KEEPS_FAILING(Class.ABNORMAL),
        FOREIGN_PROPOSAL(Class.ABNORMAL),
        PAID_ELSEWHERE(Class.ABNORMAL);

        public final Class by;

        Hold(Class by) {
            this.by = by;
        }

        static Hold of(String word) throws Unreadable {
            for (Hold hold : values()) {
                if (hold.name().toLowerCase(Locale.ROOT).equals(word)) {
                    return hold;
                }
            }
            throw new Unreadable("data.hold.reason", word, "is no reason that is known");
        }
    }

    /** A field that is there twice may be read in two ways: it is refused. */
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** Reads one message. */
    public static Event parse(String text) throws Unreadable {
        JsonNode event;
        try {
            event = JSON.readTree(text);
        } catch (JsonProcessingException error) {
            throw new Unreadable("message", error.getOriginalMessage(), "is not JSON");
        }
        String version = text(event, "specversion");
        if (!version.equals("1.0")) {
            throw new Unreadable("specversion", version, "must be 1.0");
        }
        String id = text(event, "id");
        long sequence = sequence(text(event, "sequence"));
        String type = text(event, "type");
        JsonNode data = event.path("data");
        List<String> refs = refs(data.path("refs"));
        boolean isPart = refs.size() == 1 && id.equals(sequence + "-" + refs.get(0));
        if (!isPart && !id.equals(Long.toString(sequence))) {
            throw new Unreadable("id", id, "must be the sequence without its zeros, of a part with its withdrawal");
        }
        Hold hold = type.equals(HELD) ? Hold.of(text(data.path("hold"), "reason")) : null;
        return new Event(id, text(event, "source"), sequence, type, time(text(event, "time")), refs, hold, others(data));
    }

    /** Whether there may be more of the same entry. */
    boolean isPart() {
        return !id.equals(Long.toString(sequence));
    }

    /** The entry of which both are parts. */
    Event with(Event part) {
        Set<String> all = new LinkedHashSet<>(refs);
        all.addAll(part.refs);
        return new Event(Long.toString(sequence), vault, sequence, type, time, List.copyOf(all), hold, Math.max(others, part.others));
    }

    private static String text(JsonNode node, String field) throws Unreadable {
        JsonNode value = node.path(field);
        if (!value.isTextual() || value.textValue().isEmpty()) {
            throw new Unreadable(field, value, "must be a text that is not empty");
        }
        return value.textValue();
    }

    private static long sequence(String text) throws Unreadable {
        try {
            long sequence = Long.parseLong(text);
            if (sequence >= 1 && Character.isDigit(text.charAt(0))) {
                return sequence;
            }
        } catch (NumberFormatException error) {
            // Told below.
        }
        throw new Unreadable("sequence", text, "must be a whole number from 1 on");
    }

    private static long time(String text) throws Unreadable {
        try {
            return Instant.parse(text).toEpochMilli();
        } catch (DateTimeParseException | ArithmeticException error) {
            throw new Unreadable("time", text, "must be a time as RFC 3339 has it");
        }
    }

    private static List<String> refs(JsonNode node) throws Unreadable {
        if (!node.isArray()) {
            throw new Unreadable("data.refs", node, "must be a list");
        }
        List<String> refs = new ArrayList<>(node.size());
        for (JsonNode ref : node) {
            if (!ref.isTextual()) {
                throw new Unreadable("data.refs", ref, "must be a text");
            }
            refs.add(ref.textValue());
        }
        return refs;
    }

    private static long others(JsonNode data) throws Unreadable {
        JsonNode others = data.path("others");
        if (others.isMissingNode()) {
            return 0;
        }
        if (!others.canConvertToExactIntegral() || !others.canConvertToLong() || others.longValue() < 0) {
            throw new Unreadable("data.others", others, "must be a whole number from 0 on");
        }
        return others.longValue();
    }
}
