/**
 * D-Bus through plain Java interfaces and records: proxies of remote objects, exported objects, and
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
 *     record Overflowed(@Wire("u") long count) implements DBusSignal {}
 * }
 *
 * // the service
 * try (Export export = Export.of(service, "/com/example/Calc", Calculator.class, new MyCalculator())) {
 *     export.emit(new Calculator.Overflowed(1));
 *     export.changed(Calculator.class, "Unit");
 * }
 *
 * // a client
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
 * The D-Bus interface has the full name of the Java interface; a member has the name of the method,
 * and a signal the name of its record, with an upper-case first letter. The annotation {@link
 * io.holdfast.dbus.typed.DBusName} gives another name. Introspection data has the names of the
 * parameters if the interface is compiled with {@code -parameters}, else {@code arg0}, {@code arg1}
 * and so on.
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
 * <tr><td>{@code List<T>} or {@code T[]}, {@code Map<K, V>}</td><td>aT, a{KV}</td></tr>
 * <tr><td>{@code Optional<T>}: an array of at most one element</td><td>aT</td></tr>
 * <tr><td>an enum: the name of the constant, or with @Wire of a number its ordinal</td><td>s</td>
 * </tr>
 * <tr><td>a record</td><td>a struct of its components</td></tr>
 * <tr><td>{@link io.holdfast.dbus.wire.Variant}, or Object: what stands in it, without its type</td>
 * <td>v</td></tr>
 * </table>
 *
 * A byte is eight bits, as in {@code byte[]}. Every other number is checked against the range of
 * both types, in both directions, and never wraps. An Object that is sent must be of a class of the
 * first two rows, or byte[]; lists and maps need a Variant, since they do not carry their types. A
 * received Object is the value that {@link io.holdfast.dbus.wire.Message#values} describes for the
 * type in the variant.
 *
 * <p>A method returns nothing (void), one value, or several: then its result is a record that
 * implements {@link io.holdfast.dbus.typed.Outputs}. If it returns a CompletionStage or a
 * CompletableFuture of its result, a call does not wait. D-Bus has no null: a null is refused
 * before anything is sent, with a NullPointerException that names its place. Default and static
 * methods of an interface have no D-Bus method.
 *
 * <h2>Properties</h2>
 *
 * Properties are marked with {@link io.holdfast.dbus.typed.Property @Property}. They are not
 * recognized by name, since methods such as {@code GetUnit} and {@code SetHostname} are common in
 * D-Bus, and the conventions of JavaBeans would take them for properties. An {@link
 * io.holdfast.dbus.typed.ObjectCache} reads them once and follows PropertiesChanged.
 *
 * <h2>Descriptors</h2>
 *
 * A descriptor among a proxy's arguments stays the caller's, and the caller must close a descriptor
 * that a proxy returns. The descriptors among an implementation's arguments are lent until its
 * method returns (or until the stage that it returned completes); {@link io.holdfast.core.Fd#move}
 * keeps one. A descriptor that an implementation returns passes to the connection.
 *
 * <h2>Errors</h2>
 *
 * {@link io.holdfast.dbus.typed.Proxy#of} and {@link io.holdfast.dbus.typed.Export#of} check an
 * interface once, and refuse it with an IllegalArgumentException that names interface, method and
 * parameter. A DBusException of an implementation becomes the error reply, under its name; any
 * other exception becomes {@code org.freedesktop.DBus.Error.Failed} with one line of text.
 */
@NullMarked
package io.holdfast.dbus.typed;

import org.jspecify.annotations.NullMarked;
