/**
 * Asking an authority whether a process may do something.
 *
 * <pre>{@code
 * Authority authority = Authority.connect();                  // once, for as long as the server runs
 *
 * try (UnixSocket connection = listener.accept();
 *         Peer peer = connection.peer()) {
 *     if (authority.isAuthorized(peer, "org.example.reboot", Map.of())) {
 *         reboot();
 *     }
 * }
 *
 * // with the reason, and with a user who may be asked for a password
 * Decision decision =
 *         authority.check(peer, "org.example.reboot", Map.of(), Authority.Option.INTERACTIVE).join();
 * if (!decision.isAuthorized()) {
 *     log(decision.failure().orElse("not authorized"));
 * }
 * }</pre>
 *
 * <p>The authority is Holdfast's or polkit's: {@link io.holdfast.authority.client.Authority}
 * reaches the one by Varlink and the other by D-Bus, and a program need not know which there is.
 * The process that is asked about travels as a pidfd, never as a number, together with the user
 * that the kernel noted when the process connected.
 *
 * <p>An authority that runs inside of the program is in the module {@code io.holdfast.authority}.
 */
@NullMarked
package io.holdfast.authority.client;

import org.jspecify.annotations.NullMarked;
