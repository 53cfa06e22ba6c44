import java.io.*;
import java.time.Duration;
import java.util.*;
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.*;
import org.apache.kafka.streams.test.TestRecord;

/** Reads cases, one a line, and writes what Kafka Streams sends after each of their records. See README.md. */
public class Record {
  static final ObjectMapper M = new ObjectMapper();
  static final Serde<String> S = Serdes.String();
  static String j(Object a, Object b) { return a + "-" + b; }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      JsonNode c = M.readTree(line);
      ArrayNode out = M.createArrayNode();
      try { run(c, out); System.out.println(M.writeValueAsString(out)); }
      catch (Throwable e) { ObjectNode o = M.createObjectNode(); o.put("error", e.toString()); System.out.println(M.writeValueAsString(o)); }
    }
  }
  static long l(JsonNode c, String f) { return c.path(f).asLong(0); }
  static <K, V> Materialized<K, V, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>> ver(String name, boolean versioned, Serde<K> k, Serde<V> v) {
    if (versioned) return Materialized.<K, V>as(Stores.persistentVersionedKeyValueStore(name, Duration.ofMillis(300000))).withKeySerde(k).withValueSerde(v);
    return Materialized.<K, V>as(Stores.inMemoryKeyValueStore(name)).withKeySerde(k).withValueSerde(v);
  }
  static void run(JsonNode c, ArrayNode out) throws Exception {
    StreamsBuilder b = new StreamsBuilder();
    String kind = c.get("kind").asText();
    String how = c.path("how").asText("join");
    Consumed<String, String> con = Consumed.with(S, S);
    boolean vl = c.path("vl").asBoolean(false), vr = c.path("vr").asBoolean(false);
    switch (kind) {
      case "stream-stream": {
        JoinWindows w = JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(l(c, "size")), Duration.ofMillis(l(c, "grace"))).before(Duration.ofMillis(l(c, "before"))).after(Duration.ofMillis(l(c, "after")));
        KStream<String, String> L = b.stream("left", con), R = b.stream("right", con), o;
        StreamJoined<String, String, String> sj = StreamJoined.with(S, S, S);
        if (how.equals("join")) o = L.join(R, Record::j, w, sj); else if (how.equals("leftJoin")) o = L.leftJoin(R, Record::j, w, sj); else o = L.outerJoin(R, Record::j, w, sj);
        o.to("out", Produced.with(S, S)); break; }
      case "stream-table": {
        KStream<String, String> L = b.stream("left", con), o;
        KTable<String, String> R = b.table("right", con, ver("rt", vr, S, S));
        Joined<String, String, String> jd = Joined.with(S, S, S);
        if (c.has("jgrace")) jd = jd.withGracePeriod(Duration.ofMillis(l(c, "jgrace")));
        o = how.equals("join") ? L.join(R, Record::j, jd) : L.leftJoin(R, Record::j, jd);
        o.to("out", Produced.with(S, S)); break; }
      case "table-table": {
        KTable<String, String> L = b.table("left", con, ver("lt", vl, S, S)), R = b.table("right", con, ver("rt", vr, S, S)), o;
        Materialized<String, String, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>> m = ver("jt", c.path("vj").asBoolean(false), S, S);
        if (how.equals("join")) o = c.path("mat").asBoolean() ? L.join(R, Record::j, m) : L.join(R, Record::j);
        else if (how.equals("leftJoin")) o = c.path("mat").asBoolean() ? L.leftJoin(R, Record::j, m) : L.leftJoin(R, Record::j);
        else o = c.path("mat").asBoolean() ? L.outerJoin(R, Record::j, m) : L.outerJoin(R, Record::j);
        o.toStream().to("out", Produced.with(S, S)); break; }
      case "foreign": {
        KTable<String, String> L = b.table("left", con, ver("lt", vl, S, S)), R = b.table("right", con, ver("rt", vr, S, S)), o;
        java.util.function.Function<String, String> fk = v -> v.startsWith("-") ? null : v.substring(0, 1);
        Materialized<String, String, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>> m = ver("jt", false, S, S);
        o = how.equals("join") ? L.join(R, fk, Record::j, m) : L.leftJoin(R, fk, Record::j, m);
        o.toStream().to("out", Produced.with(S, S)); break; }
      case "filter-group": {
        KTable<String, String> L = b.table("left", con, ver("lt", vl, S, S));
        if (c.path("filter").asBoolean()) L = L.filter((k, v) -> !v.endsWith("x"));
        L.groupBy((k, v) -> KeyValue.pair(v.substring(0, 1), v), Grouped.with(S, S)).aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, ver("agg", c.path("va").asBoolean(false), S, S)).toStream().to("out", Produced.with(S, S)); break; }
      case "aggregate": {
        b.stream("left", con).groupByKey(Grouped.with(S, S)).aggregate(() -> "0", (k, v, a) -> v.startsWith("d") ? null : (a == null ? "n" : a) + "+" + v, ver("agg", c.path("va").asBoolean(false), S, S)).toStream().to("out", Produced.with(S, S)); break; }
      case "reduce": {
        b.stream("left", con).groupByKey(Grouped.with(S, S)).reduce((a, v) -> v.startsWith("d") ? null : a + "+" + v, ver("agg", c.path("va").asBoolean(false), S, S)).toStream().to("out", Produced.with(S, S)); break; }
      case "window": {
        KGroupedStream<String, String> g = b.stream("left", con).groupByKey(Grouped.with(S, S));
        EmitStrategy e = c.path("emit").asText("update").equals("close") ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
        String wk = c.get("window").asText();
        Duration size = Duration.ofMillis(l(c, "size")), grace = Duration.ofMillis(l(c, "grace"));
        KTable<Windowed<String>, String> t;
        if (wk.equals("session")) t = g.windowedBy(SessionWindows.ofInactivityGapAndGrace(size, grace)).emitStrategy(e).aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, x, y) -> x + y.substring(1), Materialized.with(S, S));
        else if (wk.equals("sliding")) t = g.windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(size, grace)).emitStrategy(e).aggregate(() -> "0", (k, v, a) -> a + "+" + v, Materialized.with(S, S));
        else t = g.windowedBy(TimeWindows.ofSizeAndGrace(size, grace).advanceBy(Duration.ofMillis(l(c, "advance")))).emitStrategy(e).aggregate(() -> "0", (k, v, a) -> a + "+" + v, Materialized.with(S, S));
        if (c.has("suppress")) t = t.suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()));
        t.toStream().map((k, v) -> KeyValue.pair(k.key() + "@" + k.window().start() + "/" + k.window().end(), v)).to("out", Produced.with(S, S)); break; }
      case "suppress": {
        KTable<String, Long> t = b.table("left", con).groupBy((k, v) -> KeyValue.pair(v, k), Grouped.with(S, S)).count();
        Suppressed.BufferConfig<?> bc = c.has("max") ? Suppressed.BufferConfig.maxRecords(l(c, "max")).emitEarlyWhenFull() : Suppressed.BufferConfig.unbounded();
        t.suppress(Suppressed.untilTimeLimit(Duration.ofMillis(l(c, "size")), (Suppressed.BufferConfig) bc)).toStream().mapValues(v -> String.valueOf(v)).to("out", Produced.with(S, S)); break; }
      case "cogroup": {
        KGroupedStream<String, String> a = b.stream("left", con).groupByKey(Grouped.with(S, S)), d = b.stream("right", con).groupByKey(Grouped.with(S, S));
        CogroupedKStream<String, String> cg = a.<String>cogroup((k, v, x) -> x + "+" + v).cogroup(d, (k, v, x) -> x + "*" + v);
        if (c.has("window")) cg.windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(l(c, "size")), Duration.ofMillis(l(c, "grace")))).aggregate(() -> "0", Materialized.with(S, S)).toStream().map((k, v) -> KeyValue.pair(k.key() + "@" + k.window().start() + "/" + k.window().end(), v)).to("out", Produced.with(S, S));
        else cg.aggregate(() -> "0", Materialized.with(S, S)).toStream().to("out", Produced.with(S, S));
        break; }
      case "global": {
        KStream<String, String> L = b.stream("left", con), o;
        GlobalKTable<String, String> R = b.globalTable("right", con);
        KeyValueMapper<String, String, String> km = (k, v) -> v.startsWith("-") ? null : v.substring(0, 1);
        o = how.equals("join") ? L.join(R, km, Record::j) : L.leftJoin(R, km, Record::j);
        o.to("out", Produced.with(S, S)); break; }
      case "totable": {
        KTable<String, String> t = b.stream("left", con).toTable(ver("tt", vl, S, S));
        t = t.filter((k, v) -> !v.endsWith("x")).mapValues(v -> v + "!");
        t.toStream().to("out", Produced.with(S, S)); break; }
      default: throw new RuntimeException("kind " + kind);
    }
    Properties p = new Properties();
    p.put("application.id", "x"); if (!kind.equals("window") || c.path("emit").asText("").equals("update")) p.put("dsl.store.suppliers.class", BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class.getName()); p.put("bootstrap.servers", "x:1"); p.put("statestore.cache.max.bytes", "0");
    p.put("state.dir", System.getProperty("java.io.tmpdir") + "/recorded-" + ProcessHandle.current().pid()); 
    p.put("__emit.interval.ms.kstreams.windowed.aggregation__", 0L); p.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", 0L);
    p.put("default.key.serde", S.getClass().getName()); p.put("default.value.serde", S.getClass().getName());
    try (TopologyTestDriver d = new TopologyTestDriver(b.build(p), p, java.time.Instant.ofEpochMilli(0))) {
      Map<String, TestInputTopic<String, String>> ins = new HashMap<>();
      TestOutputTopic<String, String> o = null;
      for (JsonNode r : c.get("in")) {
        String t = r.get("t").asText();
        TestInputTopic<String, String> it = ins.computeIfAbsent(t, n -> d.createInputTopic(n, new StringSerializer(), new StringSerializer()));
        it.pipeInput(r.get("k").isNull() ? null : r.get("k").asText(), r.get("v").isNull() ? null : r.get("v").asText(), r.get("ts").asLong());
        if (c.path("advance1s").asBoolean(true)) d.advanceWallClockTime(Duration.ofMillis(1001));
        if (o == null) o = d.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
        ArrayNode a = M.createArrayNode();
        while (!o.isEmpty()) { TestRecord<String, String> x = o.readRecord(); ArrayNode row = M.createArrayNode(); row.add(x.key()); row.add(x.value()); row.add(x.timestamp()); a.add(row); }
        out.add(a);
      }
    }
  }
}
