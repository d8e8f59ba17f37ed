/**
 * Checks with an authority whether a process is authorized for an action.
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
 * // with the reason, and with an authentication dialog if one is needed
 * Decision decision =
 *         authority.check(peer, "org.example.reboot", Map.of(), Authority.Option.INTERACTIVE).join();
 * if (!decision.isAuthorized()) {
 *     log(decision.failure().orElse("not authorized"));
 * }
 * }</pre>
 *
 * <p>The authority is Holdfast's or polkit: {@link io.holdfast.authority.client.Authority} reaches
 * the first over Varlink and the second over D-Bus, and a program need not know which one runs. The
 * process is passed as a pidfd, never as a PID, together with the user that the kernel recorded
 * when the process connected.
 *
 * <p>For an authority inside the program, see the module {@code io.holdfast.authority}.
 */
@NullMarked
package io.holdfast.authority.client;

import org.jspecify.annotations.NullMarked;
