@NullMarked
package io.holdfast.manager.systemd1.property;

import org.jspecify.annotations.NullMarked;
