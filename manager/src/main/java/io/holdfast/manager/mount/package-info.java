/** Mounts at run time: the kernel's table of mounts, and the commands that mount and unmount. */
@NullMarked
package io.holdfast.manager.mount;

import org.jspecify.annotations.NullMarked;
