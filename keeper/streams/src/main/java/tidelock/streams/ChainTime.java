package tidelock.streams;

import java.time.Duration;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;

/**
 * Watermarks that follow the time in the events alone, so that the same events give the same figures however fast they are read: each
 * event says that all up to some time before it has come.
 */
final class ChainTime implements WatermarkGenerator<Message> {
    private final long patience; // [milliseconds]
    private long newest = Long.MIN_VALUE; // [milliseconds since 1970]

    private ChainTime(long patience) {
        this.patience = patience;
    }

    /** How long, by the chain's time, an event that is told late is waited for. */
    static WatermarkStrategy<Message> waiting(Duration patience) {
        return WatermarkStrategy.<Message>forGenerator(context -> new ChainTime(patience.toMillis()))
                .withTimestampAssigner((message, before) -> message.event() == null ? before : message.event().time());
    }

    @Override
    public void onEvent(Message message, long time, WatermarkOutput output) {
        if (message.event() != null && time > newest) {
            newest = time;
            output.emitWatermark(new Watermark(newest - patience - 1));
        }
    }

    @Override
    public void onPeriodicEmit(WatermarkOutput output) {
        // Only events move the chain's time.
    }
}
