package dhaara.bench;

/** A row of the customers' table: the same as in {@code bench/workload/customers.ts}. */
public class Customer {
  public static final int COUNT = 10_000;
  public int customer;
  public String name;
  public String tier;

  public static Customer of(int customer) {
    Customer row = new Customer();
    row.customer = customer;
    row.name = "Customer " + Integer.toString(customer, 36);
    row.tier = customer % 20 == 0 ? "gold" : customer % 5 == 0 ? "silver" : "plain";
    return row;
  }
}
