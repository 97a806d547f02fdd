package tidelock.streams;

/**
 * What came: an event, or why it is none.
 *
 * @param event the event; null if it cannot be read
 * @param why the field, its value and the rule; null of an event
 * @param text what came; null of an event
 */
public record Message(Event event, String why, String text) {
    public static Message read(String text) {
        try {
            return new Message(Event.parse(text), null, null);
        } catch (Unreadable error) {
            return new Message(null, error.getMessage(), text);
        }
    }
}
