# The first half of bsd.port.mk, for ports that look at variables of the framework.
.include <bsd.port.options.mk>
RUST_DEFAULT?=	rust
