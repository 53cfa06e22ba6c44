import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/** What Java's own client writes and reads: `produce BROKERS COUNT TOPIC:CODEC …`, `consume BROKERS PARTITIONS TOPIC …`. */
public class Interop {
  public static void main(String[] args) throws Exception {
    for (String topic : Arrays.asList(args).subList(3, args.length)) {
      if (args[0].equals("produce")) produce(args[1], topic.split(":")[0], topic.split(":")[1], Integer.parseInt(args[2]));
      else consume(args[1], topic, Integer.parseInt(args[2]));
    }
  }

  static void produce(String brokers, String topic, String codec, int count) throws Exception {
    Map<String, Object> config = Map.of("bootstrap.servers", brokers, "compression.type", codec, "linger.ms", 20);
    try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < count; i++) {
        var record = new ProducerRecord<>(topic, null, 1000L + i, i % 10 == 9 ? null : "key-" + i, i % 7 == 6 ? null : "value-" + i);
        if (i % 5 == 0) record.headers().add("h", ("header-" + i).getBytes(StandardCharsets.UTF_8));
        producer.send(record);
      }
    }
  }

  static void consume(String brokers, String topic, int partitions) {
    Map<String, Object> config = Map.of("bootstrap.servers", brokers, "isolation.level", "read_committed");
    try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      var all = new ArrayList<TopicPartition>();
      for (int p = 0; p < partitions; p++) all.add(new TopicPartition(topic, p));
      consumer.assign(all);
      consumer.seekToBeginning(all);
      var ends = consumer.endOffsets(all);
      while (all.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
        for (var record : consumer.poll(Duration.ofMillis(500))) {
          var header = record.headers().lastHeader("h");
          System.out.println(topic + "|" + record.partition() + "|" + record.timestamp() + "|" + record.key() + "|" + record.value() + "|"
              + (header == null ? null : new String(header.value(), StandardCharsets.UTF_8)) + "|" + record.offset());
        }
      }
    }
  }
}
