package dhaara.bench;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** What one run shall do: {@code --case keyed-aggregate --variant usual --workload file ...}. */
public record Job(
    String name, String variant, Path workload, int warmUp, int records, Path dir, String bootstrap) {

  public static Job of(String[] args) {
    Map<String, String> given = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) given.put(args[i], args[i + 1]);
    return new Job(
        given.get("--case"),
        given.get("--variant"),
        Path.of(given.get("--workload")),
        Integer.parseInt(given.get("--warmUp")),
        Integer.parseInt(given.get("--records")),
        Path.of(given.get("--dir")),
        given.get("--bootstrap"));
  }

  public int total() {
    return warmUp + records;
  }

  public boolean is(String variant) {
    return this.variant.equals(variant);
  }
}
