package io.holdfast.varlink.server;

import io.holdfast.varlink.ServiceInfo;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All services of a server by the name of their interface, including {@code org.varlink.service}.
 */
final class Services {
    private static final Interface BUILT_IN =
            Interface.parse(
                    """
                    # The interface that every Varlink service has.
                    interface org.varlink.service

                    # Returns the service's name and its interfaces.
                    method GetInfo() -> (
                        vendor: string,
                        product: string,
                        version: string,
                        url: string,
                        interfaces: []string
                    )

                    # Returns the definition of one of the interfaces.
                    method GetInterfaceDescription(interface: string) -> (description: string)

                    # The service does not have the interface.
                    error InterfaceNotFound(interface: string)

                    # The service does not have the method, or its interface.
                    error MethodNotFound(method: string)

                    # The method is not implemented.
                    error MethodNotImplemented(method: string)

                    # A parameter is unknown, missing, of the wrong type, or invalid.
                    error InvalidParameter(parameter: string)

                    # The caller may not call the method.
                    error PermissionDenied()

                    # The method accepts only calls with the flag "more".
                    error ExpectedMore()

                    # The method accepts only calls with the flag "upgrade".
                    error ExpectedUpgrade()
                    """);

    private final Map<String, Service> byName = new TreeMap<>();

    /**
     * @param identity the description of the service; its interfaces are replaced by those that are
     *     served
     * @throws IllegalArgumentException if an interface is served twice
     */
    Services(ServiceInfo identity, Collection<Service> services) {
        services.forEach(this::add);
        add(
                Service.of(BUILT_IN)
                        .method("GetInfo", _ -> info(identity).toJson())
                        .method("GetInterfaceDescription", this::describe)
                        .build());
    }

    private void add(Service service) {
        if (byName.putIfAbsent(service.definition().name(), service) != null) {
            throw new IllegalArgumentException(service.definition().name() + " is served already");
        }
    }

    private ServiceInfo info(ServiceInfo identity) {
        return new ServiceInfo(
                identity.vendor(),
                identity.product(),
                identity.version(),
                identity.url(),
                List.copyOf(byName.keySet()));
    }

    private JsonObject describe(Call call) {
        String name = call.parameters().string("interface");
        Service service = byName.get(name);
        if (service == null) {
            throw VarlinkException.interfaceNotFound(name);
        }
        return JsonObject.of("description", service.definition().toString());
    }

    /**
     * Returns the method with the qualified name.
     *
     * @throws VarlinkException MethodNotFound or MethodNotImplemented
     */
    Service.Served find(String qualified) {
        int dot = Math.max(0, qualified.lastIndexOf('.'));
        Service service = byName.get(qualified.substring(0, dot));
        String name = qualified.substring(Math.min(dot + 1, qualified.length()));
        if (service == null || service.tree().method(name).isEmpty()) {
            throw VarlinkException.methodNotFound(qualified);
        }
        return service.find(name)
                .orElseThrow(() -> VarlinkException.methodNotImplemented(qualified));
    }

    /** Returns whether a connection may be upgraded to another protocol. */
    boolean upgrade() {
        return byName.values().stream().anyMatch(Service::upgrades);
    }
}
