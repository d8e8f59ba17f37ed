/** What units know of the machine, and the specifiers that stand for it. Reads the machine. */
@NullMarked
package io.holdfast.manager.unit.host;

import org.jspecify.annotations.NullMarked;
