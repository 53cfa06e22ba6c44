package dhaara.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Orders from JSON by Jackson's data binding, rows to JSON by its generator: the fastest that it has. */
public final class Json {
  private static final JsonFactory FACTORY =
      JsonFactory.builder().enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER).build();
  private static final ObjectReader ORDERS =
      new ObjectMapper(FACTORY).disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).readerFor(Order.class);

  private Json() {}

  public static Order order(byte[] bytes) {
    try {
      return ORDERS.readValue(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface Body {
    void write(JsonGenerator out) throws IOException;
  }

  private static byte[] object(Body body) {
    try (ByteArrayBuilder bytes = new ByteArrayBuilder(FACTORY._getBufferRecycler(), 128);
        JsonGenerator out = FACTORY.createGenerator(bytes)) {
      out.writeStartObject();
      body.write(out);
      out.writeEndObject();
      out.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A whole number has no point: as JavaScript writes it, so that rows can be compared as bytes. */
  private static void number(JsonGenerator out, double value) throws IOException {
    if (value == Math.rint(value)) out.writeNumber((long) value);
    else out.writeNumber(value);
  }

  public static byte[] discounted(Order order) {
    return object(
        out -> {
          out.writeNumberField("customer", order.customer);
          out.writeFieldName("amount");
          number(out, order.amount * 0.9);
          out.writeStringField("city", order.city);
        });
  }

  public static byte[] totals(int customer, Totals totals) {
    return object(
        out -> {
          out.writeNumberField("customer", customer);
          out.writeNumberField("count", totals.count);
          out.writeNumberField("sum", totals.sum);
          out.writeNumberField("max", totals.max);
        });
  }

  public static byte[] window(int customer, long start, Totals totals) {
    return object(
        out -> {
          out.writeNumberField("customer", customer);
          out.writeNumberField("start", start);
          out.writeNumberField("count", totals.count);
          out.writeNumberField("sum", totals.sum);
        });
  }

  public static byte[] joined(int orderId, int amount, Customer row) {
    return object(
        out -> {
          out.writeNumberField("orderId", orderId);
          out.writeNumberField("customer", row.customer);
          out.writeStringField("name", row.name);
          out.writeStringField("tier", row.tier);
          out.writeNumberField("amount", amount);
        });
  }
}
