/** Key of the phantom properties that keep the DSL's opaque types apart. Exists in types only. */
export declare const brand: unique symbol
