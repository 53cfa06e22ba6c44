package dhaara.bench;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The common workloads as Kafka Streams applications with one thread. Records come keyed by customer, so that nothing is
 * repartitioned; caches are off, since each update is to be emitted. Variants: {@code usual} (RocksDB, at least once, settings as
 * they come), {@code exactly-once} (the same with transactions, a commit each second), {@code tuned} (state in memory with its
 * changelog, larger batches, lz4).
 */
public final class KafkaStreamsPeer {
  private static final Duration SIZE = Duration.ofSeconds(60);
  private static final Duration GRACE = Duration.ofSeconds(5);
  /** Orders of no customer, far ahead: their time closes the windows. */
  private static final int NOBODY = -1;

  private final Job job;
  private final String id = "bench-" + UUID.randomUUID();
  private final String in = id + "-orders";
  private final String out = id + "-out";
  private final String table = id + "-customers";
  private final AtomicLong seen = new AtomicLong();

  private KafkaStreamsPeer(Job job) {
    this.job = job;
  }

  public static void main(String[] args) throws Exception {
    new KafkaStreamsPeer(Job.of(args)).run();
    System.exit(0);
  }

  private void run() throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", job.bootstrap()))) {
      admin.createTopics(List.of(topic(in), topic(out), topic(table))).all().get();
      long last = load();
      KafkaStreams streams = new KafkaStreams(topology(), settings());
      streams.start();
      long before = waitFor(job.warmUp());
      Watch.start();
      waitFor(job.total());
      if (job.name().equals("tumbling")) closeWindows(last);
      streams.close();
      Watch.stop();
      Checksum checksum = check();
      Watch.report(job.total() - before, checksum);
      List<String> mine = admin.listTopics().names().get().stream().filter(name -> name.startsWith(id)).toList();
      admin.deleteTopics(mine).all().get();
    }
  }

  private static NewTopic topic(String name) {
    // Event times are years ago: the broker would take their records for old ones.
    return new NewTopic(name, 1, (short) 1).configs(Map.of("retention.ms", "-1"));
  }

  /** @return time of the last order */
  private long load() throws Exception {
    long last = 0;
    try (KafkaProducer<byte[], byte[]> producer = producer();
        Chunks chunks = new Chunks(job.workload())) {
      for (int customer = 0; customer < Customer.COUNT; customer++)
        producer.send(new ProducerRecord<>(table, 0, 0L, key(customer), name(Customer.of(customer))));
      for (int done = 0; done < job.total(); done += chunks.count()) {
        if (!chunks.next()) throw new IllegalStateException("The workload is too short");
        for (int i = 0; i < chunks.count(); i++) {
          byte[] value = chunks.record(i);
          Order order = Json.order(value);
          last = Math.max(last, order.ts);
          producer.send(new ProducerRecord<>(in, 0, order.ts, key(order.customer), value));
        }
      }
    }
    return last;
  }

  private KafkaProducer<byte[], byte[]> producer() {
    return new KafkaProducer<>(
        Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, job.bootstrap(), ProducerConfig.LINGER_MS_CONFIG, 20,
            ProducerConfig.BATCH_SIZE_CONFIG, 1 << 18),
        new ByteArraySerializer(), new ByteArraySerializer());
  }

  private long waitFor(long records) throws InterruptedException {
    while (seen.get() < records) Thread.sleep(1);
    return seen.get();
  }

  /** Windows are looked at once a second of the wall clock, when a record comes: so the second order of nobody closes all. */
  private void closeWindows(long last) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      for (int i = 1; i <= 2; i++) {
        Watch.stop();
        Thread.sleep(1_100);
        Watch.start();
        byte[] value = "{\"customer\":-1,\"city\":\"\",\"amount\":0,\"ts\":%d}".formatted(last + i * 600_000L).getBytes();
        producer.send(new ProducerRecord<>(in, 0, last + i * 600_000L, key(NOBODY), value)).get();
        waitFor(job.total() + i);
      }
    }
  }

  private Properties settings() {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, id);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.bootstrap());
    settings.put(StreamsConfig.STATE_DIR_CONFIG, job.dir().toString());
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    if (job.is("exactly-once")) {
      settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
      settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
    }
    if (job.is("tuned")) {
      settings.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
      settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 1 << 18);
      settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
      settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
      settings.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
      settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MIN_BYTES_CONFIG), 1 << 20);
      settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 8 << 20);
      settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
      settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
    }
    return settings;
  }

  private Topology topology() {
    StreamsBuilder builder = new StreamsBuilder();
    TimestampExtractor time = (record, before) -> ((Order) record.value()).ts;
    KStream<Integer, Order> orders =
        builder
            .stream(in, Consumed.with(Serdes.Integer(), orderSerde()).withTimestampExtractor(time))
            .peek((key, order) -> seen.lazySet(seen.getPlain() + 1));
    rows(builder, orders).to(out, Produced.with(Serdes.Integer(), Serdes.ByteArray()));
    return builder.build();
  }

  private KStream<Integer, byte[]> rows(StreamsBuilder builder, KStream<Integer, Order> orders) {
    return switch (job.name()) {
      case "json-in-out" ->
          orders
              .filter((key, order) -> order.amount >= 1000)
              .filter((key, order) -> !order.city.equals("city-7"))
              .mapValues(Json::discounted);
      case "keyed-aggregate", "keyed-aggregate-large" ->
          orders
              .groupByKey(Grouped.with(Serdes.Integer(), orderSerde()))
              .aggregate(Totals::new, (key, order, totals) -> totals.add(order.amount), Materialized.with(Serdes.Integer(), totalsSerde()))
              .toStream()
              .mapValues(Json::totals);
      case "tumbling" ->
          orders
              .groupByKey(Grouped.with(Serdes.Integer(), orderSerde()))
              .windowedBy(TimeWindows.ofSizeAndGrace(SIZE, GRACE))
              .emitStrategy(EmitStrategy.onWindowClose())
              .aggregate(Totals::new, (key, order, totals) -> totals.add(order.amount), windowStore())
              .toStream()
              .filter((window, totals) -> window.key() != NOBODY)
              .map((Windowed<Integer> window, Totals totals) ->
                  org.apache.kafka.streams.KeyValue.pair(
                      window.key(), Json.window(window.key(), window.window().start(), totals)));
      case "table-join" ->
          orders.join(
              builder.globalTable(table, Consumed.with(Serdes.Integer(), customerSerde())),
              (key, order) -> order.customer,
              (order, row) -> Json.joined(order.orderId, order.amount, row));
      default -> throw new IllegalArgumentException("There is no case " + job.name());
    };
  }

  /**
   * Closed windows are looked for once a second of the wall clock, and a replay goes through minutes of event time in that: with
   * the usual retention they would be gone by then.
   */
  private static Materialized<Integer, Totals, WindowStore<Bytes, byte[]>> windowStore() {
    return Materialized.<Integer, Totals, WindowStore<Bytes, byte[]>>with(Serdes.Integer(), totalsSerde())
        .withRetention(Duration.ofHours(6));
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

  private static Serde<Customer> customerSerde() {
    return Serdes.serdeFrom(
        (topic, row) -> row == null ? null : name(row),
        (topic, bytes) -> {
          if (bytes == null) return null;
          String[] parts = new String(bytes).split("\\|");
          Customer row = new Customer();
          row.customer = Integer.parseInt(parts[0]);
          row.name = parts[1];
          row.tier = parts[2];
          return row;
        });
  }

  private static byte[] key(int customer) {
    return ByteBuffer.allocate(4).putInt(customer).array();
  }

  private static byte[] name(Customer row) {
    return (row.customer + "|" + row.name + "|" + row.tier).getBytes();
  }

  /** What lies in the output topic, committed. */
  private Checksum check() {
    Checksum checksum = new Checksum();
    Map<String, Object> settings =
        Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, job.bootstrap(), ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
            ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(out, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end)
        for (ConsumerRecord<byte[], byte[]> row : consumer.poll(Duration.ofSeconds(1))) checksum.add(row.value());
    }
    return checksum;
  }
}
