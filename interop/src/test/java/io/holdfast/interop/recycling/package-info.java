/** PIDs are recycled as fast as the kernel allows while core and the daemons are asked. */
@NullMarked
package io.holdfast.interop.recycling;

import org.jspecify.annotations.NullMarked;
