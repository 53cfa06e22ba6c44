package dhaara.bench;

import java.nio.ByteBuffer;

/** Totals of a customer. */
public class Totals {
  public long count;
  public long sum;
  public int max = Integer.MIN_VALUE;

  public Totals add(int amount) {
    count++;
    sum += amount;
    if (amount > max) max = amount;
    return this;
  }

  public byte[] toBytes() {
    return ByteBuffer.allocate(20).putLong(count).putLong(sum).putInt(max).array();
  }

  public static Totals of(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    Totals totals = new Totals();
    totals.count = buffer.getLong();
    totals.sum = buffer.getLong();
    totals.max = buffer.getInt();
    return totals;
  }
}
