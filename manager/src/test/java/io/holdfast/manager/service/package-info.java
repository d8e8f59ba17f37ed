@NullMarked
package io.holdfast.manager.service;

import org.jspecify.annotations.NullMarked;
