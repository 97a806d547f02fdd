package tidelock.streams;

import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * What no figure counts, told apart so that nothing is lost silently.
 *
 * @param why why it is left out
 * @param what the message as it came, or which event it is
 */
public record LeftOut(String why, String what) {
    static LeftOut unreadable(Message message) {
        return new LeftOut("unreadable: " + message.why(), message.text());
    }

    static LeftOut late(Event event) {
        return new LeftOut("late", name(event));
    }

    static LeftOut otherLog(Event event) {
        return new LeftOut("of another log", name(event));
    }

    private static String name(Event event) {
        return event.vault() + " " + event.id() + " " + event.type();
    }

    /** One line. */
    public String json() {
        return new ObjectMapper().createObjectNode().put("why", why).put("what", what).toString();
    }
}
