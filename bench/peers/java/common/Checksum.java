package dhaara.bench;

/** Number of rows and a checksum that does not depend on their order: as {@code bench/harness/sink.ts} computes it. */
public final class Checksum {
  private int rows;
  private int first;
  private int second;

  public void add(byte[] row) {
    int a = 0x811c9dc5;
    int b = 0x1000193;
    for (byte value : row) {
      int unsigned = value & 0xff;
      a = (a ^ unsigned) * 0x01000193;
      b = (b ^ unsigned) * 0x5bd1e995;
    }
    first += a ^ (a >>> 15);
    second += b ^ (b >>> 13);
    rows++;
  }

  public int rows() {
    return rows;
  }

  @Override
  public String toString() {
    return String.format("%08x%08x", first, second);
  }
}
