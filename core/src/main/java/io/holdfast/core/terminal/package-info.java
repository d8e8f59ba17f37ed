/**
 * Pseudo-terminals, for programs that want to talk to a person.
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
