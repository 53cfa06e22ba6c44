package dhaara.bench;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A workload file, chunk by chunk. Chunk, little-endian: u32 count, u32 bytes, u32 offsets[count + 1], the bytes, zero bytes
 * up to a multiple of 4.
 */
public final class Chunks implements AutoCloseable {
  private final FileChannel file;
  private int count;
  private int[] offsets = new int[0];
  private byte[] bytes = new byte[0];

  public Chunks(Path path) throws IOException {
    file = FileChannel.open(path, StandardOpenOption.READ);
  }

  /** Reads the next chunk; false at the end of the file. */
  public boolean next() throws IOException {
    ByteBuffer head = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    if (file.read(head) < 8) return false;
    count = head.getInt(0);
    int length = head.getInt(4);
    ByteBuffer table = ByteBuffer.allocate(4 * (count + 1)).order(ByteOrder.LITTLE_ENDIAN);
    fill(table);
    offsets = new int[count + 1];
    table.flip().asIntBuffer().get(offsets);
    bytes = new byte[(length + 3) & ~3];
    fill(ByteBuffer.wrap(bytes));
    return true;
  }

  public int count() {
    return count;
  }

  /** Record i of this chunk, in an array of its own. */
  public byte[] record(int i) {
    return java.util.Arrays.copyOfRange(bytes, offsets[i], offsets[i + 1]);
  }

  private void fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) if (file.read(buffer) < 0) throw new EOFException("The workload is cut off");
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
