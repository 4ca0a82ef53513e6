"""ProductService over products and rate plans. Access, edition and audit: see the contract."""

from google.protobuf.empty_pb2 import Empty
from revops.catalog.v1 import products_pb2 as pb

from revops_mesh.aip.listing import merged, page
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.names import parent_of

from .domain import Product, RatePlan


class ProductService:
    """One method per rpc: load, verb, save."""

    async def CreateProduct(self, request: pb.CreateProductRequest, call: Call) -> pb.Product:
        products = call.repo(Product)
        product = await products.add(Product.draft(products.name(request.product_id), request.product))
        return product.state

    async def GetProduct(self, request: pb.GetProductRequest, call: Call) -> pb.Product:
        return (await call.repo(Product).get(request.name)).state

    async def ListProducts(self, request: pb.ListProductsRequest, call: Call) -> pb.ListProductsResponse:
        return await page(call, Product, request, pb.ListProductsResponse)

    async def UpdateProduct(self, request: pb.UpdateProductRequest, call: Call) -> pb.Product:
        product = await call.repo(Product).get(request.product.name, request.product.etag)
        product.update(merged(call, product, request.product, request.update_mask))
        return (await call.repo(Product).save(product)).state

    async def DeleteProduct(self, request: pb.DeleteProductRequest, call: Call) -> Empty:
        product = await call.repo(Product).get(request.name, request.etag, lock=True)
        product.must_allow("delete")
        while plans := await call.repo(RatePlan).select("parent=$2", [product.name]):
            for plan in plans:
                await call.repo(RatePlan).delete(plan)
        await call.repo(Product).delete(product)
        return Empty()

    async def ActivateProduct(self, request: pb.ActivateProductRequest, call: Call) -> pb.Product:
        product = await call.repo(Product).get(request.name, request.etag)
        product.activate()
        return (await call.repo(Product).save(product)).state

    async def RetireProduct(self, request: pb.RetireProductRequest, call: Call) -> pb.Product:
        product = await call.repo(Product).get(request.name, request.etag)
        product.retire()
        return (await call.repo(Product).save(product)).state

    async def CreateRatePlan(self, request: pb.CreateRatePlanRequest, call: Call) -> pb.RatePlan:
        # Locked, so that plans added at the same time follow one another instead of making the product stale.
        product, plans = await call.repo(Product).get(request.parent, lock=True), call.repo(RatePlan)
        product.count_plan()
        await call.repo(Product).save(product)
        plan = await plans.add(RatePlan.draft(plans.name(request.rate_plan_id, parent=product.name), request.rate_plan))
        return plan.state

    async def GetRatePlan(self, request: pb.GetRatePlanRequest, call: Call) -> pb.RatePlan:
        return (await call.repo(RatePlan).get(request.name)).state

    async def ListRatePlans(self, request: pb.ListRatePlansRequest, call: Call) -> pb.ListRatePlansResponse:
        return await page(call, RatePlan, request, pb.ListRatePlansResponse)

    async def UpdateRatePlan(self, request: pb.UpdateRatePlanRequest, call: Call) -> pb.RatePlan:
        plan = await call.repo(RatePlan).get(request.rate_plan.name, request.rate_plan.etag)
        product = await call.repo(Product).get(parent_of(plan.name))
        product.must_allow("update")
        if plan.update(merged(call, plan, request.rate_plan, request.update_mask)):
            product.must_allow("change_charges")
        call.unchanged(product)
        return (await call.repo(RatePlan).save(plan)).state
