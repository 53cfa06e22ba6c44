package dhaara.bench;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Kafka Streams over topics that are there already: orders keyed by customer as text. One thread. Variants: {@code exactly-once}
 * (a commit each 100 ms), {@code at-least-once} (each second); record caches off, since each update is to be emitted.
 *
 * <p>With {@code --life} it is an instance that is started on what another one has left: it tells how long that took, goes
 * through the rest of the input, tells that, and waits to be killed.
 */
public final class KafkaStreamsOnTopics {
  private final Map<String, String> given;
  private final AtomicLong seen = new AtomicLong();

  private KafkaStreamsOnTopics(Map<String, String> given) {
    this.given = given;
  }

  public static void main(String[] args) throws Exception {
    Map<String, String> given = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) given.put(args[i].substring(2), args[i + 1]);
    KafkaStreamsOnTopics peer = new KafkaStreamsOnTopics(given);
    if (given.containsKey("life")) peer.live();
    else peer.measure();
    System.exit(0);
  }

  private void measure() throws Exception {
    long warmUp = Long.parseLong(given.get("warmUp"));
    long records = Long.parseLong(given.get("records"));
    try (KafkaStreams streams = new KafkaStreams(topology(), settings())) {
      streams.start();
      long before = waitFor(warmUp);
      Watch.start();
      waitFor(warmUp + records);
      streams.close();
      Watch.stop();
      Watch.report(warmUp + records - before, new Checksum());
    }
  }

  private void live() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    KafkaStreams streams = new KafkaStreams(topology(), settings());
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.RUNNING) running.countDown();
    });
    Watch.start();
    streams.start();
    running.await();
    Watch.stop();
    Watch.report(1, new Checksum());
    System.out.flush();
    waitFor(Long.parseLong(given.get("records")));
    Thread.sleep(2_000);
    System.out.println("done");
    System.out.flush();
    Thread.sleep(600_000);
  }

  private long waitFor(long records) throws InterruptedException {
    while (seen.get() < records) Thread.sleep(1);
    return seen.get();
  }

  private Properties settings() {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, given.get("app"));
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("bootstrap"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, given.get("dir"));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    boolean exactlyOnce = given.get("variant").equals("exactly-once");
    if (exactlyOnce) settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, exactlyOnce ? 100 : 1000);
    if (given.containsKey("life"))
      settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), "one");
    return settings;
  }

  private Topology topology() {
    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, Order> orders =
        builder
            .stream(given.get("input"), Consumed.with(Serdes.String(), orderSerde()))
            .peek((key, order) -> seen.lazySet(seen.getPlain() + 1));
    rows(orders).to(given.get("output"), Produced.with(Serdes.String(), Serdes.ByteArray()));
    return builder.build();
  }

  private KStream<String, byte[]> rows(KStream<String, Order> orders) {
    if (given.get("case").equals("json-in-out"))
      return orders
          .filter((key, order) -> order.amount >= 1000)
          .filter((key, order) -> !order.city.equals("city-7"))
          .mapValues(Json::discounted);
    return orders
        .groupByKey(Grouped.with(Serdes.String(), orderSerde()))
        .aggregate(
            Totals::new,
            (key, order, totals) -> totals.add(order.amount),
            Materialized.<String, Totals, KeyValueStore<Bytes, byte[]>>as("totals")
                .withKeySerde(Serdes.String())
                .withValueSerde(totalsSerde()))
        .toStream()
        .mapValues((key, totals) -> Json.totals(Integer.parseInt(key), totals));
  }

  private static Serde<Order> orderSerde() {
    return Serdes.serdeFrom(
        (topic, order) -> {
          throw new UnsupportedOperationException("Orders are never written");
        },
        (topic, bytes) -> bytes == null ? null : Json.order(bytes));
  }

  private static Serde<Totals> totalsSerde() {
    return Serdes.serdeFrom(
        (topic, totals) -> totals == null ? null : totals.toBytes(), (topic, bytes) -> bytes == null ? null : Totals.of(bytes));
  }
}
