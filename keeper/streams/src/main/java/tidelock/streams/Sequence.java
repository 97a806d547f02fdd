package tidelock.streams;

import java.util.ArrayList;
import java.util.List;

/**
 * Which numbers of a sequence that counts from 1 were there: all up to the last, but those of the gaps. As the sequence has no gaps
 * where it is told, this is all it takes to know each event that comes twice.
 */
public record Sequence(long last, List<Gap> gaps) {
    /** So many gaps are told apart; what is between older ones then counts as missing too. */
    static final int GAPS = 1_000;

    /** Both ends are missing. */
    public record Gap(long first, long last) {}

    static final Sequence NONE = new Sequence(0, List.of());

    /** With a number above the last. */
    Sequence with(long number) {
        if (number == last + 1) {
            return new Sequence(number, gaps);
        }
        List<Gap> more = new ArrayList<>(gaps);
        more.add(new Gap(last + 1, number - 1));
        if (more.size() > GAPS) {
            Gap first = more.remove(0);
            more.set(0, new Gap(first.first(), more.get(0).last()));
        }
        return new Sequence(number, more);
    }

    boolean isMissing(long number) {
        return number > last || gaps.stream().anyMatch(gap -> gap.first() <= number && number <= gap.last());
    }

    /** With a number that is missing below the last, so that it is known when it comes again. */
    Sequence filled(long number) {
        List<Gap> left = new ArrayList<>(gaps.size() + 1);
        for (Gap gap : gaps) {
            if (number < gap.first() || gap.last() < number) {
                left.add(gap);
                continue;
            }
            if (gap.first() < number) {
                left.add(new Gap(gap.first(), number - 1));
            }
            if (number < gap.last()) {
                left.add(new Gap(number + 1, gap.last()));
            }
        }
        return new Sequence(last, left);
    }
}
