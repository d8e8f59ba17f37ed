/** Devices at run time: what sysfs and udev's database show of them. */
@NullMarked
package io.holdfast.manager.device;

import org.jspecify.annotations.NullMarked;
