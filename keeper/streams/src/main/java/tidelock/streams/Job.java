package tidelock.streams;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** The job on a cluster: events from a topic of Kafka, hours and what is left out into two others. */
public final class Job {
    /** Between two checkpoints. */
    private static final Duration CHECKPOINT = Duration.ofMinutes(1);

    /** A partition that says nothing for so long holds the others up no more, until it speaks again. */
    private static final Duration IDLE = Duration.ofMinutes(1);

    private Job() {}

    public static void main(String[] arguments) throws Exception {
        Settings settings;
        try {
            settings = Settings.parse(arguments);
        } catch (IllegalArgumentException error) {
            System.err.println(error.getMessage() + "\n" + Settings.USAGE);
            throw error;
        }
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.enableCheckpointing(CHECKPOINT.toMillis());
        assemble(environment, settings, IDLE);
        environment.execute("Tidelock: figures by the hour");
    }

    /** The whole job, not yet started. */
    static void assemble(StreamExecutionEnvironment environment, Settings settings, Duration idle) {
        // What the job keeps has to outlive its next version: nothing is kept in a form that only this one reads.
        environment.configure(new Configuration().set(PipelineOptions.GENERIC_TYPES, false));
        WatermarkStrategy<Message> times = ChainTime.waiting(settings.patience()).withIdleness(idle);
        Hours hours = Hours.of(environment.fromSource(source(settings), times, "events").uid("events"));
        hours.hours().sinkTo(sink(settings, settings.hours(), Hour::key, Hour::json)).name("hours").uid("hours");
        hours.leftOut().sinkTo(sink(settings, settings.leftOut(), LeftOut::why, LeftOut::json)).name("left out").uid("left-out");
    }

    /** From the topic's beginning: a payment's trail begins with its request. What a checkpoint restores goes on where that was. */
    private static KafkaSource<Message> source(Settings settings) {
        return KafkaSource.<Message>builder()
                .setBootstrapServers(settings.brokers())
                .setTopics(settings.events())
                .setGroupId(settings.group())
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setProperty("isolation.level", "read_committed")
                .setDeserializer(new Reading())
                .build();
    }

    /** An hour that is told again after a restart has the same key and the same words. */
    private static <T> KafkaSink<T> sink(Settings settings, String topic, Text<T> key, Text<T> value) {
        Properties properties = new Properties();
        properties.setProperty("enable.idempotence", "true");
        return KafkaSink.<T>builder()
                .setBootstrapServers(settings.brokers())
                .setKafkaProducerConfig(properties)
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .setRecordSerializer(KafkaRecordSerializationSchema.<T>builder()
                        .setTopic(topic)
                        .setKeySerializationSchema(key)
                        .setValueSerializationSchema(value)
                        .build())
                .build();
    }

    /** What is written of something, as UTF-8. */
    private interface Text<T> extends SerializationSchema<T> {
        String of(T value);

        @Override
        default byte[] serialize(T value) {
            return of(value).getBytes(StandardCharsets.UTF_8);
        }
    }

    private static final class Reading implements KafkaRecordDeserializationSchema<Message> {
        @Override
        public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Message> out) {
            byte[] value = record.value() == null ? new byte[0] : record.value();
            out.collect(Message.read(new String(value, StandardCharsets.UTF_8)));
        }

        @Override
        public TypeInformation<Message> getProducedType() {
            return TypeInformation.of(Message.class);
        }
    }
}
