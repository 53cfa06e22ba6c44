package dhaara.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.streaming.api.functions.sink.SinkFunction;
import org.apache.flink.streaming.api.functions.source.SourceFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/**
 * The common workloads as Flink jobs on a mini cluster in this process, one slot. Variants: {@code rocksdb} (a checkpoint each
 * second), {@code rocksdb-tuned} (one each 10 s, more managed memory, objects used again), {@code heap} (no checkpoints, objects
 * used again).
 */
public final class FlinkPeer {
  /** What the sink was given, hashed when the clock stands still. */
  private static final List<byte[]> rows = new ArrayList<>();
  private static final CountDownLatch customersSeen = new CountDownLatch(Customer.COUNT);

  public static void main(String[] args) throws Exception {
    Job job = Job.of(args);
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(1, settings(job));
    if (!job.is("rocksdb")) env.getConfig().enableObjectReuse();
    if (job.is("rocksdb")) env.enableCheckpointing(1_000);
    if (job.is("rocksdb-tuned")) env.enableCheckpointing(10_000);
    DataStream<byte[]> records = env.addSource(new Workload(job.workload().toString(), job.warmUp(), job.total(), job.name()));
    topology(job, env, records).addSink(new Gather());
    env.execute();
    Watch.stop();
    Checksum checksum = new Checksum();
    rows.forEach(checksum::add);
    Watch.report(job.records(), checksum);
    System.exit(0);
  }

  private static Configuration settings(Job job) {
    Configuration settings = new Configuration();
    settings.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(job.is("rocksdb-tuned") ? 512 : 128));
    settings.set(StateBackendOptions.STATE_BACKEND, job.is("heap") ? "hashmap" : "rocksdb");
    settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, job.dir().toUri().toString());
    settings.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
    settings.setString("state.backend.rocksdb.localdir", job.dir().resolve("rocksdb").toString());
    return settings;
  }

  private static DataStream<byte[]> topology(Job job, StreamExecutionEnvironment env, DataStream<byte[]> records) {
    return switch (job.name()) {
      case "json-in-out" ->
          records
              .map(Json::order)
              .filter(order -> order.amount >= 1000)
              .filter(order -> !order.city.equals("city-7"))
              .map(Json::discounted);
      case "keyed-aggregate", "keyed-aggregate-large" ->
          records.map(Sale::of).keyBy(sale -> sale.customer).process(new KeepTotals());
      case "tumbling" ->
          records
              .map(Sale::of)
              .assignTimestampsAndWatermarks(
                  WatermarkStrategy.<Sale>forBoundedOutOfOrderness(Duration.ofSeconds(5))
                      .withTimestampAssigner((sale, before) -> sale.ts))
              .keyBy(sale -> sale.customer)
              .window(TumblingEventTimeWindows.of(Duration.ofSeconds(60)))
              .aggregate(new WindowTotals(), new WindowRow());
      case "table-join" ->
          env.fromCollection(IntStream.range(0, Customer.COUNT).mapToObj(Customer::of).toList(),
                  org.apache.flink.api.common.typeinfo.TypeInformation.of(Customer.class))
              .keyBy(row -> row.customer)
              .connect(records.map(Sale::of).keyBy(sale -> sale.customer))
              .process(new Join());
      default -> throw new IllegalArgumentException("There is no case " + job.name());
    };
  }

  /** What the stateful cases need of an order: nothing else goes over the wire. */
  public static class Sale {
    public int orderId;
    public int customer;
    public int amount;
    public long ts;

    static Sale of(byte[] bytes) {
      Order order = Json.order(bytes);
      Sale sale = new Sale();
      sale.orderId = order.orderId;
      sale.customer = order.customer;
      sale.amount = order.amount;
      sale.ts = order.ts;
      return sale;
    }
  }

  /** Reads the workload; starts the clock behind the warm-up. */
  static final class Workload implements SourceFunction<byte[]> {
    private static final int BATCH = 100;
    private final String path;
    private final int warmUp;
    private final int total;
    private final String name;
    private volatile boolean running = true;

    Workload(String path, int warmUp, int total, String name) {
      this.path = path;
      this.warmUp = warmUp;
      this.total = total;
      this.name = name;
    }

    @Override
    public void run(SourceContext<byte[]> out) throws Exception {
      if (name.equals("table-join")) customersSeen.await();
      try (Chunks chunks = new Chunks(java.nio.file.Path.of(path))) {
        for (int done = 0; running && done < total; done += chunks.count()) {
          if (!chunks.next()) throw new IllegalStateException("The workload is too short");
          if (done == warmUp) Watch.start();
          for (int from = 0; from < chunks.count(); from += BATCH) {
            synchronized (out.getCheckpointLock()) {
              for (int i = from; i < Math.min(from + BATCH, chunks.count()); i++) out.collect(chunks.record(i));
            }
          }
        }
      }
    }

    @Override
    public void cancel() {
      running = false;
    }
  }

  static final class Gather implements SinkFunction<byte[]> {
    @Override
    public void invoke(byte[] row, Context context) {
      rows.add(row);
    }
  }

  static final class KeepTotals extends KeyedProcessFunction<Integer, Sale, byte[]> {
    private transient ValueState<Totals> state;

    @Override
    public void open(OpenContext context) {
      state = getRuntimeContext().getState(new ValueStateDescriptor<>("totals", Totals.class));
    }

    @Override
    public void processElement(Sale sale, Context context, Collector<byte[]> out) throws Exception {
      Totals totals = state.value();
      if (totals == null) totals = new Totals();
      state.update(totals.add(sale.amount));
      out.collect(Json.totals(sale.customer, totals));
    }
  }

  static final class WindowTotals implements AggregateFunction<Sale, Totals, Totals> {
    @Override
    public Totals createAccumulator() {
      return new Totals();
    }

    @Override
    public Totals add(Sale sale, Totals totals) {
      return totals.add(sale.amount);
    }

    @Override
    public Totals getResult(Totals totals) {
      return totals;
    }

    @Override
    public Totals merge(Totals a, Totals b) {
      a.count += b.count;
      a.sum += b.sum;
      a.max = Math.max(a.max, b.max);
      return a;
    }
  }

  static final class WindowRow extends ProcessWindowFunction<Totals, byte[], Integer, TimeWindow> {
    @Override
    public void process(Integer customer, Context context, Iterable<Totals> totals, Collector<byte[]> out) {
      out.collect(Json.window(customer, context.window().getStart(), totals.iterator().next()));
    }
  }

  static final class Join extends KeyedCoProcessFunction<Integer, Customer, Sale, byte[]> {
    private transient ValueState<Customer> state;

    @Override
    public void open(OpenContext context) {
      state = getRuntimeContext().getState(new ValueStateDescriptor<>("customer", Customer.class));
    }

    @Override
    public void processElement1(Customer row, Context context, Collector<byte[]> out) throws Exception {
      state.update(row);
      customersSeen.countDown();
    }

    @Override
    public void processElement2(Sale sale, Context context, Collector<byte[]> out) throws Exception {
      Customer row = state.value();
      if (row != null) out.collect(Json.joined(sale.orderId, sale.amount, row));
    }
  }
}
