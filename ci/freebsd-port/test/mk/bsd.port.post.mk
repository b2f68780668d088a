.include <bsd.port.mk>
