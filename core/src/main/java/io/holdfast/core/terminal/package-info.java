/**
 * Pseudo-terminals, for running interactive programs.
 *
 * <pre>{@code
 * try (PseudoTerminal terminal = PseudoTerminal.open();
 *         Child shell = terminal.start(Spawn.of("bash"))) {
 *     terminal.output().write("exit 3\n".getBytes(UTF_8));
 *     terminal.output().flush();
 *     Exit exit = shell.await();
 * }
 * }</pre>
 */
@NullMarked
package io.holdfast.core.terminal;

import org.jspecify.annotations.NullMarked;
