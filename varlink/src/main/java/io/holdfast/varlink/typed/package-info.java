/**
 * Varlink interfaces as Java interfaces: records are parameters, replies and structs, and the
 * interface definition is generated.
 *
 * <pre>{@code
 * @VarlinkName("org.example.Clock")
 * public interface Clock {
 *     enum Precision { SECONDS, NANOS }
 *     record Query(Optional<String> zone, Precision precision) {}
 *     record Time(long seconds, List<Integer> parts) {}
 *
 *     Time now(Query query);
 * }
 *
 * TypedInterface<Clock> clock = TypedInterface.of(Clock.class);
 * IO.println(clock.definition());                       // interface org.example.Clock …
 * Service service = clock.service(query -> new Time(0, List.of()));
 * Clock remote = clock.proxy(client);
 * }</pre>
 *
 * <table>
 * <caption>Types</caption>
 * <tr><th>Java</th><th>Varlink</th></tr>
 * <tr><td>boolean</td><td>bool</td></tr>
 * <tr><td>byte, short, int, long</td><td>int; a number out of range is refused</td></tr>
 * <tr><td>float, double</td><td>float</td></tr>
 * <tr><td>String</td><td>string</td></tr>
 * <tr><td>an enum</td><td>an enum of that name</td></tr>
 * <tr><td>a record</td><td>a struct of that name</td></tr>
 * <tr><td>List, Map with String keys</td><td>{@code []T}, {@code [string]T}</td></tr>
 * <tr><td>Optional, OptionalInt, OptionalLong, OptionalDouble</td><td>{@code ?T}</td></tr>
 * <tr><td>JsonObject, Json</td><td>object, any</td></tr>
 * </table>
 *
 * <p>A method takes nothing or one record, whose components are the parameters, and returns nothing
 * or one record. Its Varlink name is the Java name with a capital letter. Default and static
 * methods are no methods of the Varlink interface. Errors are records, too, and are thrown as
 * {@link io.holdfast.varlink.VarlinkException} on both sides: see {@link
 * io.holdfast.varlink.typed.TypedInterface#exception} and {@link
 * io.holdfast.varlink.typed.TypedInterface#error}. The interface and its records must be public,
 * and their package exported.
 */
@NullMarked
package io.holdfast.varlink.typed;

import org.jspecify.annotations.NullMarked;
