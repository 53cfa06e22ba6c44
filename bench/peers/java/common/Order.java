package dhaara.bench;

/** An order, as JSON has it. */
public class Order {
  public int orderId;
  public int customer;
  public String city;
  public int amount;
  public long ts;
  public String channel;
  public String note;
}
