package tidelock.streams;

/** A message that is no event of Tidelock: which field, what it holds, and the rule that it breaks. */
public final class Unreadable extends Exception {
    Unreadable(String field, Object value, String rule) {
        super(field + ": " + value + " " + rule);
    }
}
