package tidelock.streams;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A Kafka broker of a test's own, run by scripts/kafka; it ends with its input, which ends with this process. */
final class Broker implements AutoCloseable {
    private static final Path ROOT = Path.of("..", "..");

    /** How long anything is waited for. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private final Process shell;
    private final String server;

    private Broker(Process shell, String server) {
        this.shell = shell;
        this.server = server;
    }

    /** Whether scripts/kafka could install one. */
    static boolean isThere() {
        return Files.isDirectory(ROOT.resolve("target/kafka/jars")) && !Files.exists(ROOT.resolve("target/kafka/skipped"));
    }

    static Broker start() throws Exception {
        int port = ports();
        Path folder = Files.createTempDirectory("kafka");
        Process shell = new ProcessBuilder("scripts/kafka", "serve", folder.toString(), Integer.toString(port))
                .directory(new File(ROOT.toString()))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return new Broker(shell, "127.0.0.1:" + port);
    }

    /** The first of two ports that nobody has, below those that systems give to connections that go out. */
    private static int ports() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 16_000);
            if (isFree(port) && isFree(port + 1)) {
                return port;
            }
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException error) {
            return false;
        }
    }

    String server() {
        return server;
    }

    /** Makes topics, once the broker is there. */
    void make(int partitions, String... names) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", server, "default.api.timeout.ms", (int) PATIENCE.toMillis());
        List<NewTopic> topics = new ArrayList<>();
        for (String name : names) {
            topics.add(new NewTopic(name, partitions, (short) 1));
        }
        try (Admin admin = Admin.create(settings)) {
            admin.createTopics(topics).all().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** Writes records in one transaction, which is committed or rolled back. */
    void write(String topic, List<Map.Entry<String, String>> records, boolean commit) {
        Map<String, Object> settings = Map.of("bootstrap.servers", server, "transactional.id", "recorded", "max.block.ms", (int) PATIENCE.toMillis());
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            for (Map.Entry<String, String> record : records) {
                producer.send(new ProducerRecord<>(topic, record.getKey(), record.getValue()));
            }
            producer.flush();
            if (commit) {
                producer.commitTransaction();
            } else {
                producer.abortTransaction();
            }
        }
    }

    /** The last text of each key, once there are so many. */
    Map<String, String> read(String topic, int partitions, int count) {
        Map<String, Object> settings = Map.of("bootstrap.servers", server, "auto.offset.reset", "earliest");
        Map<String, String> found = new HashMap<>();
        long end = System.nanoTime() + PATIENCE.toNanos();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> places = new ArrayList<>();
            for (int partition = 0; partition < partitions; partition++) {
                places.add(new TopicPartition(topic, partition));
            }
            consumer.assign(places);
            consumer.seekToBeginning(places);
            while (found.size() < count) {
                if (System.nanoTime() > end) {
                    throw new IllegalStateException(topic + " has " + found.size() + " keys, not " + count);
                }
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    found.put(record.key(), record.value());
                }
            }
        }
        return found;
    }

    @Override
    public void close() throws Exception {
        shell.getOutputStream().close();
        shell.waitFor();
    }
}
