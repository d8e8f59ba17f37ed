/** Numbers of processes are recycled at the kernel's pace while core and the daemons are asked. */
@NullMarked
package io.holdfast.interop.recycling;

import org.jspecify.annotations.NullMarked;
