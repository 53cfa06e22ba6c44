package dhaara.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** Wall time, and CPU time of all threads of this process: of the garbage collector and of the compiler too. */
public final class Watch {
  private static final com.sun.management.OperatingSystemMXBean SYSTEM =
      (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static double seconds;
  private static double cpuSeconds;
  private static long wall;
  private static long cpu;

  private Watch() {}

  public static synchronized void start() {
    cpu = SYSTEM.getProcessCpuTime();
    wall = System.nanoTime();
  }

  public static synchronized void stop() {
    seconds += (System.nanoTime() - wall) / 1e9;
    cpuSeconds += (SYSTEM.getProcessCpuTime() - cpu) / 1e9;
  }

  /** One line on standard output, which has nothing else. */
  public static synchronized void report(long records, Checksum checksum) throws IOException {
    System.out.printf(
        java.util.Locale.ROOT,
        "{\"records\":%d,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"peakRssMb\":%.1f,\"rows\":%d,\"checksum\":\"%s\"}%n",
        records, seconds, cpuSeconds, peakRssMb(), checksum.rows(), checksum);
  }

  private static double peakRssMb() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("VmHWM:")) return Integer.parseInt(line.replaceAll("\\D", "")) / 1024.0;
    return Double.NaN;
  }
}
