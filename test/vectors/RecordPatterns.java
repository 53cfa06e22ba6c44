import org.apache.flink.cep.pattern.*;
import org.apache.flink.cep.pattern.conditions.*;
import org.apache.flink.cep.nfa.*;
import org.apache.flink.cep.nfa.aftermatch.*;
import org.apache.flink.cep.nfa.compiler.NFACompiler;
import org.apache.flink.cep.nfa.sharedbuffer.*;
import org.apache.flink.cep.time.TimerService;
import org.apache.flink.api.common.state.*;
import org.apache.flink.api.common.typeutils.base.IntSerializer;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.*;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.lang.reflect.*;
import java.time.Duration;
import java.util.*;

/** Reads cases, one a line, and writes what Flink CEP gives for each. See README.md. */
public class RecordPatterns {
  static String[] letters;
  static class Letter extends IterativeCondition<Integer> {
    final String l; final String of; final int below;
    Letter(String l, String of, int below) { this.l = l; this.of = of; this.below = below; }
    public boolean filter(Integer e, Context<Integer> ctx) throws Exception {
      if (l != null && !l.contains(letters[e])) return false;
      if (of == null) return true;
      int n = 0; for (Integer x : ctx.getEventsForPattern(of)) n++;
      return n < below;
    }
  }
  static Letter cond(JsonNode w) {
    if (w == null || w.isNull() || w.isBoolean()) return new Letter(null, null, 0);
    return new Letter(w.get("letters").asText(), w.has("of") ? w.get("of").asText() : null, w.has("below") ? w.get("below").asInt() : 0);
  }
  static Pattern<Integer, Integer> build(JsonNode steps, AfterMatchSkipStrategy skip) {
    Pattern p = null;
    for (JsonNode s : steps) {
      String c = s.get("contiguity").asText();
      boolean group = s.has("group");
      Pattern g = group ? build(s.get("group").get("steps"), skip) : null;
      String name = group ? null : s.get("name").asText();
      switch (c) {
        case "begin": p = group ? Pattern.begin(g, skip) : Pattern.begin(name, skip); break;
        case "next": p = group ? p.next(g) : p.next(name); break;
        case "followedBy": p = group ? p.followedBy(g) : p.followedBy(name); break;
        case "followedByAny": p = group ? p.followedByAny(g) : p.followedByAny(name); break;
        case "notNext": p = p.notNext(name); break;
        case "notFollowedBy": p = p.notFollowedBy(name); break;
      }
      if (!group && s.has("where")) p = p.where(cond(s.get("where")));
      JsonNode q = s.get("quantifier");
      if (q != null && !q.isNull()) {
        int min = q.get("min").asInt(); boolean open = q.get("max") == null || q.get("max").isNull(); int max = open ? -1 : q.get("max").asInt();
        Duration gap = q.has("gapMs") && !q.get("gapMs").isNull() ? Duration.ofMillis(q.get("gapMs").asLong()) : null;
        if (open && min == 1) p = p.oneOrMore(gap);
        else if (open) p = p.timesOrMore(min, gap);
        else if (min == max) { if (min > 1 || gap != null) p = p.times(min, gap); }
        else p = p.times(min, max, gap);
        if (q.path("consecutive").asBoolean()) p = p.consecutive();
        if (q.path("allowCombinations").asBoolean()) p = p.allowCombinations();
        if (q.path("greedy").asBoolean()) p = p.greedy();
        if (q.has("until") && !q.get("until").isNull()) p = p.until(cond(q.get("until")));
        if (q.path("optional").asBoolean()) p = p.optional();
      }
      if (s.has("withinPrevMs") && !s.get("withinPrevMs").isNull()) p = p.within(Duration.ofMillis(s.get("withinPrevMs").asLong()), WithinType.PREVIOUS_AND_CURRENT);
    }
    return p;
  }
  static AfterMatchSkipStrategy skip(JsonNode s) {
    if (s == null) return AfterMatchSkipStrategy.noSkip();
    switch (s.get("kind").asText()) {
      case "toNext": return AfterMatchSkipStrategy.skipToNext();
      case "pastLastEvent": return AfterMatchSkipStrategy.skipPastLastEvent();
      case "toFirst": { SkipToFirstStrategy k = AfterMatchSkipStrategy.skipToFirst(s.get("to").asText()); return s.path("throwOnMiss").asBoolean() ? k.throwExceptionOnMiss() : k; }
      case "toLast": { SkipToLastStrategy k = AfterMatchSkipStrategy.skipToLast(s.get("to").asText()); return s.path("throwOnMiss").asBoolean() ? k.throwExceptionOnMiss() : k; }
      default: return AfterMatchSkipStrategy.noSkip();
    }
  }
  static Object state(Class<?> type) {
    final Map<Object, Object> m = new HashMap<>();
    return Proxy.newProxyInstance(RecordPatterns.class.getClassLoader(), new Class[]{type}, (x, me, a) -> {
      switch (me.getName()) {
        case "get": return m.get(a[0]);
        case "put": m.put(a[0], a[1]); return null;
        case "putAll": m.putAll((Map) a[0]); return null;
        case "remove": m.remove(a[0]); return null;
        case "contains": return m.containsKey(a[0]);
        case "entries": return m.entrySet();
        case "keys": return m.keySet();
        case "values": return m.values();
        case "iterator": return m.entrySet().iterator();
        case "isEmpty": return m.isEmpty();
        case "clear": m.clear(); return null;
        case "value": return m.get(0);
        case "update": m.put(0, a[0]); return null;
        default: throw new UnsupportedOperationException(me.getName());
      }
    });
  }
  static ArrayNode rows(ObjectMapper om, Collection<Map<String, List<Integer>>> ms) {
    ArrayNode out = om.createArrayNode();
    for (Map<String, List<Integer>> m : ms) out.add(row(om, m));
    return out;
  }
  static ObjectNode row(ObjectMapper om, Map<String, List<Integer>> m) {
    ObjectNode o = om.createObjectNode();
    for (var e : m.entrySet()) { ArrayNode a = o.putArray(e.getKey()); for (Integer i : e.getValue()) a.add(i); }
    return o;
  }
  public static void main(String[] args) throws Exception {
    ObjectMapper om = new ObjectMapper();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    PrintStream out = System.out;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode c = om.readTree(line);
      ObjectNode res = om.createObjectNode();
      final ArrayNode ms = res.putArray("matches"), ts = res.putArray("timeouts");
      try {
        AfterMatchSkipStrategy sk = skip(c.get("skip"));
        Pattern p = build(c.get("pattern").get("steps"), sk);
        if (c.has("within") && !c.get("within").isNull()) p = p.within(Duration.ofMillis(c.get("within").asLong()));
        NFA<Integer> nfa = ((NFACompiler.NFAFactory<Integer>) NFACompiler.compileFactory(p, true)).createNFA();
        NFAState st = nfa.createInitialNFAState();
        KeyedStateStore store = (KeyedStateStore) Proxy.newProxyInstance(RecordPatterns.class.getClassLoader(), new Class[]{KeyedStateStore.class}, (x, me, a) -> state(me.getReturnType()));
        SharedBuffer<Integer> sb = new SharedBuffer<>(store, IntSerializer.INSTANCE);
        String[] ev = c.get("events").asText().split(" ");
        letters = new String[ev.length];
        for (int i = 0; i < letters.length; i++) letters[i] = ev[i].substring(0, 1);
        TimerService timer = () -> 0L;
        for (int i = 0; i <= ev.length; i++) {
          long t = i < ev.length ? Long.parseLong(ev[i].substring(1)) : 1_000_000_000L;
          try (SharedBufferAccessor<Integer> acc = sb.getAccessor()) {
            Tuple2<Collection<Map<String, List<Integer>>>, Collection<Tuple2<Map<String, List<Integer>>, Long>>> adv = nfa.advanceTime(acc, st, t, sk);
            ms.addAll(rows(om, adv.f0));
            for (Tuple2<Map<String, List<Integer>>, Long> to : adv.f1) { ObjectNode o = ts.addObject(); o.set("partial", row(om, to.f0)); o.put("at", to.f1); }
            if (i < ev.length) ms.addAll(rows(om, nfa.process(acc, st, i, t, sk, timer)));
          }
        }
      } catch (Throwable e) {
        res.put("error", e.toString());
      }
      out.println(om.writeValueAsString(res));
    }
    out.flush(); System.exit(0);
  }
}
