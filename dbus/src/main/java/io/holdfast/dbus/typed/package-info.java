/**
 * D-Bus by plain Java interfaces and records: proxies of remote objects, exports of our own, and
 * signals.
 *
 * <pre>{@code
 * package com.example;
 *
 * public interface Calculator {                       // the D-Bus interface com.example.Calculator
 *     long add(int a, int b);                         // Add(ii) → x
 *
 *     Division divide(int a, int b);                  // Divide(ii) → ii: two outputs
 *
 *     CompletionStage<List<String>> history();        // History() → as: does not wait
 *
 *     @Property
 *     String unit();                                  // the property Unit, s
 *
 *     @Property
 *     void unit(String value);                        // … which can be set
 *
 *     record Division(int quotient, int rest) implements Outputs {}
 *
 *     record Overflowed(@Wire("u") long count) implements Signal {}
 * }
 *
 * // whoever has it
 * try (Export export = Export.of(service, "/com/example/Calc", Calculator.class, new MyCalculator())) {
 *     export.emit(new Calculator.Overflowed(1));
 *     export.changed(Calculator.class, "Unit");
 * }
 *
 * // whoever calls it
 * RemoteObject object = connection.object("com.example.Calc", "/com/example/Calc");
 * Calculator calculator = Proxy.of(object, Calculator.class);
 * long sum = calculator.add(1, 2);
 * try (Signals<Calculator.Overflowed> overflows = Signals.of(object, Calculator.Overflowed.class)) {
 *     Calculator.Overflowed first = overflows.take();
 * }
 * }</pre>
 *
 * <h2>Names</h2>
 *
 * The D-Bus interface has the full name of the Java interface, a member the name of the method, a
 * signal that of its record, with a capital first letter. {@link
 * io.holdfast.dbus.typed.DBusName @DBusName} says otherwise. Arguments are introspected under the
 * names of the parameters if the interface is compiled with {@code -parameters}, else as {@code
 * arg0}, {@code arg1} and so on.
 *
 * <h2>Types</h2>
 *
 * <table>
 * <caption>Java types and their D-Bus types</caption>
 * <tr><th>Java</th><th>D-Bus</th></tr>
 * <tr><td>boolean, byte, short, int, long, double, and their wrappers</td><td>b y n i x d</td></tr>
 * <tr><td>String, {@link io.holdfast.dbus.wire.ObjectPath}, {@link
 * io.holdfast.dbus.wire.Signature}, {@link io.holdfast.core.Fd}</td><td>s o g h</td></tr>
 * <tr><td>short, int, long or BigInteger with {@link io.holdfast.dbus.typed.Wire @Wire}</td><td>y n
 * q i u x t</td></tr>
 * <tr><td>byte[]</td><td>ay</td></tr>
 * <tr><td>{@code List<T>}, {@code Map<K, V>}</td><td>aT, a{KV}</td></tr>
 * <tr><td>a record</td><td>a struct of its components</td></tr>
 * <tr><td>{@link io.holdfast.dbus.wire.Variant}, or Object: what stands in it, without its type</td>
 * <td>v</td></tr>
 * </table>
 *
 * A byte is eight bits, as in {@code byte[]}. Every other number is checked against the range of
 * both types, in both directions, and never wraps. An Object that is sent is one of those of the
 * first two rows, or byte[]; lists and maps need a Variant, since they do not know their types. An
 * Object that comes is what {@link io.holdfast.dbus.wire.Values} gives for the variant.
 *
 * <p>A method returns nothing (void), one value, or several: then its result is a record that
 * implements {@link io.holdfast.dbus.typed.Outputs}. With CompletionStage or CompletableFuture
 * around it a call does not wait. D-Bus has no null: a null is refused before anything is sent, by
 * NullPointerException that says where it was. Default and static methods of an interface are
 * Java's alone.
 *
 * <h2>Properties</h2>
 *
 * Properties are marked with {@link io.holdfast.dbus.typed.Property @Property}, and are not
 * recognized by names: D-Bus has methods such as {@code GetUnit} and {@code SetHostname}
 * everywhere, which a bean's convention would take for properties.
 *
 * <h2>Descriptors</h2>
 *
 * A descriptor that a proxy is given stays the caller's, and one that it returns is the caller's to
 * close. An implementation is lent those of its arguments until it returns (or until the stage that
 * it returned is completed); to keep one, {@link io.holdfast.core.Fd#move} it. What it returns it
 * gives away.
 *
 * <h2>Errors</h2>
 *
 * An interface is checked once, by {@link io.holdfast.dbus.typed.Proxy#of} or {@link
 * io.holdfast.dbus.typed.Export#of}, and refused by IllegalArgumentException that names interface,
 * method and parameter. A DBusException of an implementation is the caller's error, under that
 * name; of anything else the caller gets {@code org.freedesktop.DBus.Error.Failed} with one line.
 */
@NullMarked
package io.holdfast.dbus.typed;

import org.jspecify.annotations.NullMarked;
